package collector

import "sync"

// removed are the sources that are no longer configured. A question may be under
// way while a reload removes its source: an answer that comes late must not bring
// the source's metrics back, as nothing would ever remove them again.
type removed struct {
	mu      sync.Mutex
	sources map[string]bool
}

// unless runs show, unless the source is removed.
func (r *removed) unless(source string, show func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.sources[source] {
		show()
	}
}

// remove runs hide, after which nothing more is shown of the source.
func (r *removed) remove(source string, hide func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources[source] = true
	hide()
}

func (r *removed) bringBack(source string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sources, source)
}
