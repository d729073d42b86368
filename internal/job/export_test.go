package job

import "github.com/metricsjob/metricsjob/loaders"

// Underestimate lets runs believe that reading events takes no memory, until
// the function that it gives is called.
func Underestimate() (restore func()) {
	was := bytesPer
	bytesPer.row, bytesPer.column, bytesPer.listed = 0, 0, 0
	return func() { bytesPer = was }
}

// CountBeside says how many measures are counted beside each other before their
// sums are bundled.
func (o *Options) CountBeside(n int) { o.mostBeside = n }

// Use gives an engine to use in place of a new one. It must be able to read what
// the definitions name.
func (o *Options) Use(e *loaders.Engine) { o.engine = e }
