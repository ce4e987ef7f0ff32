// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/child"
)

// programs are the programs of the stack, in order of their start.
type programs struct {
	settings
	out     io.Writer
	running []program
}

type program struct {
	*child.Child
	name string
	log  *os.File
}

func (p *programs) store() string { return filepath.Join(p.data, "carbon.db") }

// start starts a program with its own log file and waits for one of its pages.
func (p *programs) start(ctx context.Context, name, page string, args ...string) error {
	fmt.Fprintf(p.out, "Starting %s ...\n", name)
	log, err := os.Create(filepath.Join(p.data, name+".log"))
	if err != nil {
		return err
	}
	c, err := child.Start(log, filepath.Join(p.bin, name), args...)
	if err != nil {
		log.Close()
		return err
	}
	p.running = append(p.running, program{c, name, log})
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	if err := c.Until(ctx, page); err != nil {
		return fmt.Errorf("%s is not ready: %w", name, err)
	}
	return nil
}

func (p *programs) startCloud(ctx context.Context) error {
	return p.start(ctx, "simcloud", "http://"+cloud+"/-/ready",
		"--prometheus.listen="+cloud, "--uk.listen="+grid, "--mongodb.listen="+mongodb, "--days="+strconv.Itoa(p.days),
		"--seed="+strconv.Itoa(seed), "--hosts="+strconv.Itoa(hosts))
}

func (p *programs) startNodeExporter(ctx context.Context) error {
	return p.start(ctx, "node_exporter", "http://"+nodeExporter+"/", "--web.listen-address="+nodeExporter)
}

func (p *programs) startAlertmanager(ctx context.Context) error {
	return p.start(ctx, "alertmanager", "http://"+alertmanager+"/-/ready",
		"--config.file="+filepath.Join(p.examples, "alertmanager.yml"), "--storage.path="+filepath.Join(p.data, "alertmanager"),
		"--web.listen-address="+alertmanager, "--web.external-url=http://"+alertmanager, "--cluster.listen-address=")
}

func (p *programs) startPrometheus(ctx context.Context) error {
	return p.start(ctx, "prometheus", "http://"+prometheus+"/-/ready",
		"--config.file="+filepath.Join(p.examples, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(p.data, "prometheus"),
		"--storage.tsdb.retention.time=400d", "--web.listen-address="+prometheus, "--web.external-url=http://"+prometheus)
}

func (p *programs) startExporter(ctx context.Context) error {
	if err := p.start(ctx, "carbon_exporter", "http://"+exporter+"/-/ready",
		"--config.file="+filepath.Join(p.examples, "carbon.yml"), "--storage.path="+p.store(),
		"--web.listen-address="+exporter, "--collector.workspace"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	return p.running[len(p.running)-1].Poll(ctx, caughtUp)
}

// caughtUp reports whether every interval is stored and priced.
func caughtUp() (bool, error) {
	resp, err := http.Get("http://" + exporter + "/metrics")
	if err != nil {
		return false, nil //nolint:nilerr // not listening yet
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		return false, err
	}
	states := map[string]float64{}
	for _, m := range families["carbon_intervals"].GetMetric() {
		states[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
	}
	return states["provisional"]+states["settled"] > 0 && states["missing"]+states["unpriced"] == 0, nil
}

// watch waits until ctx ends, or a program ends that should not.
func (p *programs) watch(ctx context.Context) error {
	ended := make(chan error, len(p.running))
	for _, one := range p.running {
		go func() {
			err := <-one.Done()
			ended <- fmt.Errorf("%s has exited: %w", one.name, one.Said(err))
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}

// end ends all programs, the last started first.
func (p *programs) end() error {
	var errs []error
	for _, one := range slices.Backward(p.running) {
		errs = append(errs, one.End(), one.log.Close())
	}
	return errors.Join(errs...)
}
