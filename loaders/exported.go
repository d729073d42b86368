package loaders

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/objectstore"
)

// exported is the folder, or the place in an object store, with the export that
// a survey looks at.
type exported struct {
	// root is the folder, with slashes, or the URL without a slash at its end.
	root string
	// files are the data files below it, sorted; those of an object store are
	// listed once.
	files []string
	// further are files of other formats than Parquet, where files are Parquet files.
	further []string
	// empty are the files without a row, which say nothing of what they are.
	empty []string
}

// openExported lists the data files below a folder or a URL: the Parquet files,
// where there are any, and the others apart.
func openExported(ctx context.Context, engine *Engine, root string) (*exported, error) {
	x := &exported{root: strings.TrimSuffix(root, "/")}
	if !objectstore.IsURL(root) {
		x.root = filepath.ToSlash(filepath.Clean(root))
		all, err := search(x.root, "**")
		x.setFiles(all)
		return x, err
	}
	at, _, err := objectPattern(x.root)
	if err != nil {
		return nil, err
	}
	objects, err := findObjects(ctx, engine.store, x.root+"/**/"+anyData, nil, span{}) // of all formats
	if err != nil {
		return nil, unreachable(x.root, err)
	}
	var all []string
	for _, o := range objects {
		url := objectstore.Location{Bucket: at.Bucket, Key: o.Key}.String()
		engine.objects[url] = o
		all = append(all, url)
	}
	x.setFiles(all)
	return x, nil
}

// setFiles sorts the data files of an export into those to look at first, and the others.
func (x *exported) setFiles(all []string) {
	slices.Sort(all)
	x.files = oneFormat(slices.Clone(all))
	if len(x.files) < len(all) {
		x.further = slices.DeleteFunc(all, func(file string) bool { return slices.Contains(x.files, file) })
	}
}

// whole is the export with the files of all formats.
func (x *exported) whole() *exported {
	all := slices.Concat(x.files, x.further)
	slices.Sort(all)
	return &exported{root: x.root, files: all}
}

// path is a path below the root.
func (x *exported) path(elements ...string) string {
	if objectstore.IsURL(x.root) {
		return x.root + "/" + path.Join(elements...)
	}
	return path.Join(append([]string{x.root}, elements...)...)
}

// levels are the names of the folders between the root and a file.
func (x *exported) levels(file string) []string {
	if x.root != "." {
		file = strings.TrimPrefix(strings.TrimPrefix(file, x.root), "/")
	}
	levels := strings.Split(file, "/")
	return levels[:len(levels)-1]
}

// patterns match the files of a folder whose names begin with the stem: a pattern for
// each of their endings, so that what else comes to lie there is not taken for data.
func (x *exported) patterns(files []string, folder, stem string) []string {
	var out []string
	for _, file := range files {
		if p := x.path(folder, stem+"*"+ending(file)); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// matching gives the first patterns that match exactly the files, else the
// files themselves.
func (x *exported) matching(files []string, candidates ...[]string) ([]string, error) {
	for _, patterns := range candidates {
		if ok, err := x.match(files, patterns...); err != nil || ok {
			return patterns, err
		}
	}
	return files, nil
}

// match reports whether the patterns match the files, which are sorted, and no
// others that have rows.
func (x *exported) match(files []string, patterns ...string) (bool, error) {
	var found []string
	for _, p := range patterns {
		if objectstore.IsURL(p) {
			for _, file := range x.files {
				if meansObject(p, file) {
					found = append(found, file)
				}
			}
			continue
		}
		more, err := expand(p)
		if err != nil {
			return false, err
		}
		found = append(found, more...)
	}
	found = slices.DeleteFunc(found, func(file string) bool { return slices.Contains(x.empty, file) })
	slices.Sort(found)
	return slices.Equal(found, files), nil
}
