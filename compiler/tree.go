package compiler

// Node is a node of the typed tree.
type Node interface{ node() }
