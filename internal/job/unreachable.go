package job

import "github.com/metricsjob/metricsjob/loaders"

// UnreachableError is how Run, Check and Compile say that a source could not be
// reached, so that trying again may help.
type UnreachableError = loaders.UnreachableError

// ExtensionError is how they say that the engine lacks what it takes to read
// object stores.
type ExtensionError = loaders.ExtensionError
