package timestamp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// How long an authority may take in all, and how often it may send elsewhere.
const (
	timeLimit    = 30 * time.Second
	maxRedirects = 3
)

// Media types of RFC 3161, 3.4.
const (
	mediaQuery = "application/timestamp-query"
	mediaReply = "application/timestamp-reply"
)

// Fetch puts a question to the authority at an http or https address and returns its answer, at most MaxAnswer bytes, unread. It is
// the only place of the program that uses the network.
func Fetch(ctx context.Context, address string, question []byte) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no address of an authority: write it as https://tsa.example.org/tsr", address)
	}
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mediaQuery)
	req.Header.Set("Accept", mediaReply)
	client := &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			switch {
			case to.URL.Scheme != u.Scheme:
				return fmt.Errorf("it sends from %s on to %s, which is not followed", u.Scheme, to.URL.Redacted())
			case to.Method != http.MethodPost:
				return fmt.Errorf("it sends on to %s, where the question would be lost: ask there", to.URL.Redacted())
			case len(via) > maxRedirects:
				return errors.New("it sends on again and again")
			}
			return nil
		},
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, unreachable(ctx, u, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the authority at %s answered %q instead of a time stamp", u.Redacted(), res.Status)
	}
	if media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || media != mediaReply {
		return nil, fmt.Errorf("what is at %s answered with %q, not %s: it is no time stamping authority, or something stands between", u.Redacted(), res.Header.Get("Content-Type"), mediaReply)
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	if err != nil {
		return nil, unreachable(ctx, u, err)
	}
	if len(answer) > MaxAnswer {
		return nil, fmt.Errorf("the authority at %s answered with more than %d bytes: that is no time stamp", u.Redacted(), MaxAnswer)
	}
	return answer, nil
}

// unreachable says that there was no answer, and what to do.
func unreachable(ctx context.Context, u *url.URL, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	}
	return fmt.Errorf("the authority at %s could not be asked: %w. Name another, or write the question to a file (--request) and have it answered elsewhere", u.Redacted(), err)
}
