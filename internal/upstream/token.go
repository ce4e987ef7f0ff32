package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// tokenTimeout bounds one request for a token.
const tokenTimeout = 30 * time.Second

// jwtBearer is the grant whose secret is a private key: RFC 7523.
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// withToken adds OAuth2 to a transport. prometheus/common asks for the token
// outside of the request's context and follows any redirect with the client's
// secret in hand, so a deadline and the one server it may reach are set on the
// connections that it asks through.
func withToken(oauth *config.OAuth2, next http.RoundTripper) (http.RoundTripper, error) {
	secret, err := clientSecret(oauth)
	if err != nil {
		return nil, err
	}
	only := ""
	if oauth.ProxyURL.URL == nil && !oauth.ProxyFromEnvironment { // a proxy is dialled in place of every server
		u, err := url.Parse(oauth.TokenURL)
		if err != nil {
			return nil, errors.New("token_url is not a url")
		}
		only = net.JoinHostPort(u.Hostname(), port(u))
	}
	return config.NewOAuth2RoundTripper(secret, oauth, next,
		config.WithKeepAlivesDisabled(), // a connection's deadline is that of its one request
		config.WithDialContextFunc(dialToken(only, tokenTimeout)),
	), nil
}

func dialToken(only string, timeout time.Duration) config.DialContextFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if only != "" && addr != only {
			return nil, &usage.Failure{
				Reason:    usage.ReasonRedirect,
				Permanent: true,
				Detail:    fmt.Sprintf("%s redirects to another server, %s, which is not asked for a token: set token_url to it if it is the one that is meant", only, addr),
			}
		}
		deadline := time.Now().Add(timeout)
		conn, err := (&net.Dialer{Deadline: deadline}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return conn, conn.SetDeadline(deadline)
	}
}

func clientSecret(oauth *config.OAuth2) (config.SecretReader, error) {
	text, file, ref := oauth.ClientSecret, oauth.ClientSecretFile, oauth.ClientSecretRef
	if oauth.GrantType == jwtBearer {
		text, file, ref = oauth.ClientCertificateKey, oauth.ClientCertificateKeyFile, oauth.ClientCertificateKeyRef
	}
	switch {
	case ref != "":
		return nil, errors.New("secret references are not supported: give the secret or its file")
	case file != "":
		return config.NewFileSecret(file), nil
	}
	return config.NewInlineSecret(string(text)), nil
}
