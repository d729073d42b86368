// Package oracle counts experiments row by row, the slow and plain way. It is
// the second implementation of the rules in docs/semantics.md, written from
// those pages alone, and it shares no code with the compiler: tests run random
// definitions over random rows through both and compare every sum to the last
// digit. Each rule names its section.
//
// It is for tests. It knows no files, no SQL and no columns: a row arrives
// with its meanings already mapped (Input), after the `where` of its source.
// It expects definitions that the decoder and the checker accept, and panics
// on others.
//
// # Readings
//
// Where the pages leave room, the oracle takes the most literal reading, and
// says so at the place with a comment that begins "Reading:".
package oracle
