// Package compiler turns definitions and a catalog of the data into a plan in
// experiment words, and the plan into SQL statements: what is counted is
// decided here (docs/semantics.md), and nowhere else. It reads expressions with
// expr's parser and checks them by rules of its own. It knows no engine: SQL is
// a tree (package sqlast), and what is known of the data comes in as a Catalog.
package compiler
