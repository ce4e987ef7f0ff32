// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/attribution"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/ingest"
	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// addMongoDB adds the directory and, if configured, the usage writer.
func (p *Parts) addMongoDB(cfg *config.Config) error {
	c := cfg.MongoDB
	uri, err := secret(string(c.URI), c.URIFile)
	if err != nil {
		return fmt.Errorf("uri_file: %w", err)
	}
	o := mongo.Options{URI: uri, Database: c.Database, AppName: userAgent(), Timeout: time.Duration(c.Timeout)}
	reader, err := mongo.Open(o)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, reader.Close)
	p.Settings.Addresses.Directory = mongo.Place(uri, c.Database)
	names := recordNames(c)
	p.Settings.Directory = &ingest.Directory{
		Source: usage.SourceMongoDB,
		Census: func(ctx context.Context) (directory.Census, []directory.RecordReject, error) {
			return reader.Census(ctx, names)
		},
		Instead: func(ctx context.Context) string { return reader.Instead(ctx, names) },
		Learn:   attribution.Learn,
		Every:   time.Duration(c.Refresh),
		Homes:   cfg.Attribution.GroupBy == config.GroupByDirectory,
	}
	p.Stock = func(ctx context.Context) (mongo.Stock, error) { return reader.Stock(ctx, names) }
	if c.UsageDatabase == "" {
		return nil
	}
	o.Database = c.UsageDatabase
	writer, err := mongo.OpenWriter(o)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, writer.Close)
	p.Settings.UsageWriter = writer
	return nil
}

// secret returns the value, or the content of its file without the line end.
func secret(value, file string) (string, error) {
	if file == "" {
		return value, nil
	}
	text, err := readfile.All(file, maxFileBytes)
	return strings.TrimSpace(string(text)), err
}

func recordNames(c *config.MongoDB) (n mongo.Names) {
	f := c.Fields
	n.Workspaces.Collection, n.Workspaces.Hostname, n.Workspaces.Owner = c.Collections.Workspaces, f.Workspaces.Hostname, f.Workspaces.Owner
	n.Workspaces.Created, n.Workspaces.Acquired, n.Workspaces.Deleted = f.Workspaces.CreatedTime, f.Workspaces.AcquiredTime, f.Workspaces.DeletedTime
	n.Users.Collection, n.Users.PlatformName, n.Users.Name = c.Collections.Users, f.Users.PlatformName, f.Users.Name
	n.Groups.Collection, n.Groups.Name, n.Groups.Members = c.Collections.Groups, f.Groups.Name, f.Groups.Members
	n.Hosts.Collection, n.Hosts.Hostname, n.Hosts.Project, n.Hosts.Machine = c.Collections.Hosts, f.Hosts.Hostname, f.Hosts.Project, f.Hosts.Machine
	return n
}

// UsageDatabase names the database that usage is written to, without user and password; empty:
// none, or its address cannot be read.
func UsageDatabase(cfg *config.Config) string {
	c := cfg.MongoDB
	if c == nil || c.UsageDatabase == "" {
		return ""
	}
	uri, err := secret(string(c.URI), c.URIFile)
	if err != nil {
		return ""
	}
	return mongo.Place(uri, c.UsageDatabase)
}
