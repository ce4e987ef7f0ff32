// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/thanos-io/objstore"
	"github.com/thanos-io/objstore/exthttp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// gcsConfig is the config of Thanos' client. What is only for gRPC and for large objects is read,
// so that one file serves both, and is not used.
type gcsConfig struct {
	Bucket           string             `yaml:"bucket"`
	ServiceAccount   string             `yaml:"service_account"`
	UseGRPC          bool               `yaml:"use_grpc"`
	GRPCConnPoolSize int                `yaml:"grpc_conn_pool_size"`
	HTTPConfig       exthttp.HTTPConfig `yaml:"http_config"`
	ChunkSizeBytes   int                `yaml:"chunk_size_bytes"`
	MaxRetries       int                `yaml:"max_retries"`
}

const (
	gcsHost  = "https://storage.googleapis.com"
	gcsScope = "https://www.googleapis.com/auth/devstorage.read_write"
)

// gcs is a bucket of Google Cloud Storage by its JSON API. Google's own client links gRPC with all
// that belongs to it, which makes the program 18 MB larger and needs 15 MB of memory from the start,
// also of those who have no such bucket.
type gcs struct {
	bucket, host, agent string
	client              *http.Client
}

func readGCS(config []byte, program string) (place string, open func() (objstore.Bucket, error), err error) {
	c := gcsConfig{HTTPConfig: exthttp.DefaultHTTPConfig}
	if err := decode(config, &c, given{"bucket", &c.Bucket}); err != nil {
		return "", nil, err
	}
	if c.UseGRPC {
		return "", nil, errors.New("use_grpc must be false: this program speaks HTTP with the storage")
	}
	return c.Bucket, func() (objstore.Bucket, error) {
		transport, err := exthttp.DefaultTransport(c.HTTPConfig)
		if err != nil {
			return nil, err
		}
		b := &gcs{bucket: c.Bucket, host: gcsHost, agent: program}
		b.client = &http.Client{Transport: &oauth2.Transport{Base: transport, Source: &lateToken{account: c.ServiceAccount}}}
		return b, nil
	}, nil
}

// lateToken finds credentials when they are first needed: to find them may ask a server, and to
// open a bucket asks nobody.
type lateToken struct {
	account string // JSON; empty: those of the machine
	source  oauth2.TokenSource
}

// Token implements oauth2.TokenSource.
func (l *lateToken) Token() (*oauth2.Token, error) {
	if l.source == nil {
		ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: time.Minute})
		var found *google.Credentials
		var err error
		if l.account == "" {
			found, err = google.FindDefaultCredentials(ctx, gcsScope)
		} else {
			found, err = google.CredentialsFromJSONWithType(ctx, []byte(l.account), google.ServiceAccount, gcsScope)
		}
		if err != nil {
			return nil, fmt.Errorf("credentials of Google Cloud: %w", err)
		}
		l.source = oauth2.ReuseTokenSource(nil, found.TokenSource)
	}
	return l.source.Token()
}

// gcsError is an answer that says no.
type gcsError struct {
	status  int
	message string
}

func (e *gcsError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.status, http.StatusText(e.status), e.message)
}

// ask sends a request and returns its answer, which the caller closes.
func (b *gcs) ask(ctx context.Context, method, path string, query url.Values, header http.Header, body io.Reader) (*http.Response, error) {
	address := b.host + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", b.agent)
	maps.Copy(req.Header, header)
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(text, &said) != nil || said.Error.Message == "" {
		said.Error.Message = strings.Join(strings.Fields(string(text)), " ")
	}
	return nil, &gcsError{resp.StatusCode, said.Error.Message}
}

// object is the path of an object in the API.
func (b *gcs) object(name string) string {
	return "/storage/v1/b/" + url.PathEscape(b.bucket) + "/o/" + url.PathEscape(name)
}

// Provider implements objstore.Bucket.
func (b *gcs) Provider() objstore.ObjProvider { return objstore.GCS }

// Name implements objstore.Bucket.
func (b *gcs) Name() string { return b.bucket }

// Close implements objstore.Bucket.
func (b *gcs) Close() error {
	b.client.CloseIdleConnections()
	return nil
}

// Upload implements objstore.Bucket.
func (b *gcs) Upload(ctx context.Context, name string, r io.Reader, opts ...objstore.ObjectUploadOption) error {
	kind := objstore.ApplyObjectUploadOptions(opts...).ContentType
	if kind == "" {
		kind = "application/octet-stream"
	}
	resp, err := b.ask(ctx, http.MethodPost, "/upload/storage/v1/b/"+url.PathEscape(b.bucket)+"/o",
		url.Values{"uploadType": {"media"}, "name": {name}}, http.Header{"Content-Type": {kind}}, io.NopCloser(r))
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Delete implements objstore.Bucket.
func (b *gcs) Delete(ctx context.Context, name string) error {
	resp, err := b.ask(ctx, http.MethodDelete, b.object(name), nil, nil, nil)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// IsObjNotFoundErr implements objstore.Bucket.
func (b *gcs) IsObjNotFoundErr(err error) bool { return isStatus(err, http.StatusNotFound) }

// IsAccessDeniedErr implements objstore.Bucket.
func (b *gcs) IsAccessDeniedErr(err error) bool {
	return isStatus(err, http.StatusForbidden) || isStatus(err, http.StatusUnauthorized)
}

func isStatus(err error, status int) bool {
	var said *gcsError
	return errors.As(err, &said) && said.status == status
}
