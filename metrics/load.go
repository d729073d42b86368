package metrics

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/metricsjob/metricsjob/internal/diag"
)

// LoadOptions are what decoding depends on beside the files.
type LoadOptions struct {
	// Env looks up a variable of the environment, for ${NAME} in paths and
	// connections; nil: there are none.
	Env func(name string) (value string, ok bool)
}

// Load reads definitions. Each path is a file, or a folder of which every
// *.yaml and *.yml below is read, in order of their names, except *_test.yaml
// and folders whose name starts with a dot. What is wrong with the files is
// in the list, all at once; the error is about files that could not be read.
// The definitions are never nil where the error is; they are complete only if
// the list has no errors.
func Load(paths []string, opts LoadOptions) (*Definitions, diag.List, error) {
	files, diags, err := ReadFiles(paths)
	if err != nil {
		return nil, nil, err
	}
	defs, more := Decode(files, opts)
	return defs, append(diags, more...).Sorted(), nil
}

// ReadFiles reads the text of the files that the paths stand for, as Load does,
// and decodes nothing.
func ReadFiles(paths []string) ([]SourceFile, diag.List, error) {
	files, empty, err := readEach(paths, "definitions", func(name string) bool { return isYAML(name) && !IsTestFile(name) })
	return files, withoutFiles(empty), err
}

// ReadFilesAndTests is ReadFiles with the files of tests among those of folders.
func ReadFilesAndTests(paths []string) ([]SourceFile, diag.List, error) {
	files, empty, err := readEach(paths, "definitions", isYAML)
	return files, withoutFiles(empty), err
}

// withoutFiles says of folders that nothing is in them.
func withoutFiles(folders []string) (diags diag.List) {
	for _, p := range folders {
		diags.Errorf(diag.Pos{File: p}, "no-files", "the folder has no *.yaml files").
			WithHint("definitions are read from files that end in .yaml")
	}
	return diags
}

func isYAML(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// readEach reads the files that paths stand for, each once: a file, or the files
// of a folder that are wanted. empty are the paths of folders without any. What
// they hold is for errors.
func readEach(paths []string, what string, wanted func(name string) bool) (files []SourceFile, empty []string, err error) {
	seen := map[string]bool{}
	for _, p := range paths {
		names, err := filesBelow(p, what, wanted)
		if err != nil {
			return nil, nil, err
		}
		if len(names) == 0 {
			empty = append(empty, p)
		}
		for _, name := range names {
			if seen[filepath.Clean(name)] {
				continue
			}
			seen[filepath.Clean(name)] = true
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, nil, fmt.Errorf("read %s: %w", what, err)
			}
			files = append(files, SourceFile{Path: name, Text: text})
		}
	}
	return files, empty, nil
}

// filesBelow lists the files that a path stands for, those of a folder in order
// of their names.
func filesBelow(path, what string, wanted func(name string) bool) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var names []string
	err = filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != path && strings.HasPrefix(e.Name(), "."):
			return filepath.SkipDir
		case !e.IsDir() && wanted(name):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s below %s: %w", what, path, err)
	}
	slices.Sort(names)
	return names, nil
}

// Decode reads definitions that are in memory. The paths of the files stand
// in places as they are.
func Decode(files []SourceFile, opts LoadOptions) (*Definitions, diag.List) {
	var diags diag.List
	r := &resolver{diags: &diags, defs: new(Definitions), looksAt: map[diag.Pos]bool{}}
	for _, f := range files {
		sum := sha256.Sum256(f.Text)
		f.Digest = hex.EncodeToString(sum[:])
		r.defs.Files = append(r.defs.Files, f)
		d := newDecoder(f, opts, &diags)
		if draft, ok := d.decodeFile(string(f.Text)); ok {
			r.files = append(r.files, draft)
			r.partial = r.partial || d.grown
		} else {
			r.partial = true
		}
	}
	r.resolve()
	return r.defs, diags.Sorted()
}

func newDecoder(f SourceFile, opts LoadOptions, diags *diag.List) *decoder {
	env := opts.Env
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	return &decoder{
		file: f.Path, lines: linesOf(string(f.Text)), env: env, diags: diags,
		spoilt: map[*yaml.Node]bool{},
	}
}

// decodeFile reads one file; false means that it could not be read at all.
func (d *decoder) decodeFile(text string) (*fileDraft, bool) {
	root := d.parse(text)
	if root == nil {
		return nil, false
	}
	draft := new(fileDraft)
	fileObject.read(d, root, draft)
	if draft.given == nil {
		return nil, false
	}
	dir := filepath.Dir(d.file)
	for _, list := range [][]sourceDraft{draft.sources.impressions, draft.sources.events, draft.sources.units, draft.sources.exclude} {
		for i := range list {
			list[i].Dir = dir
		}
	}
	return draft, true
}
