package loaders

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/metricsjob/metricsjob/internal/diag"
	"github.com/metricsjob/metricsjob/internal/objectstore"
	"github.com/metricsjob/metricsjob/metrics"
)

// once leaves each file once where symbolic links give it several names, and
// warns of the others, for a row must not count twice. The name that stays is
// the one with the fewest links in it, so that the levels of a partition are
// those of the folders themselves. The files are sorted.
func once(src *metrics.Source, files []string, list *diag.List) []string {
	resolve := resolver()
	names := map[string][]string{} // of each real file
	for _, f := range files {
		real := resolve(f)
		names[real] = append(names[real], f)
	}
	if len(names) == len(files) {
		return files
	}
	var kept, others []string
	for real, same := range names {
		stays := slices.MaxFunc(same, func(a, b string) int { return cmp.Compare(commonEnd(a, real), commonEnd(b, real)) })
		for _, f := range same {
			if f != stays {
				others = append(others, f)
			}
		}
		kept = append(kept, stays)
	}
	slices.Sort(kept)
	slices.Sort(others)
	list.Warnf(pathTo(src, others[0]), "same-file", "source %q reaches files twice, by these links and by their own names: %s", src.Name.V, some(others, 3)).
		WithHint("each file is read once; leave the links out of the path")
	return kept
}

// linkTargets are the files behind those of the names that lie elsewhere than
// below the root, because a symbolic link leads there.
func linkTargets(root string, files []string) []string {
	resolve := resolver()
	inside := resolve(root)
	var out []string
	for _, f := range files {
		if real := resolve(f); !contains(inside, real) {
			out = append(out, real)
		}
	}
	return out
}

// resolver gives a function that follows every symbolic link of a name. A
// name that cannot be followed stays as it is; whoever opens it says why.
func resolver() func(name string) string {
	folders := map[string]string{}
	follow := func(name string) string {
		real, err := filepath.EvalSymlinks(filepath.FromSlash(name))
		if err != nil {
			return absolute(name)
		}
		return filepath.ToSlash(absolute(real))
	}
	return func(name string) string {
		if objectstore.IsURL(name) {
			return name
		}
		if info, err := os.Lstat(filepath.FromSlash(name)); err != nil || info.Mode()&fs.ModeSymlink != 0 {
			return follow(name)
		}
		folder := path.Dir(name)
		real, ok := folders[folder]
		if !ok {
			real = follow(folder)
			folders[folder] = real
		}
		return path.Join(real, path.Base(name))
	}
}

// leadsBack reports whether a link leads to a folder that holds one of those
// from which the search came, so that following it would not end.
func leadsBack(link string, from []string) bool {
	target := resolver()(link)
	return slices.ContainsFunc(from, func(folder string) bool { return contains(target, folder) })
}

// contains reports whether a name is the folder or lies below it; both are
// resolved.
func contains(folder, name string) bool {
	return name == folder || strings.HasPrefix(name, strings.TrimSuffix(folder, "/")+"/")
}

// commonEnd is the number of last segments that two names share.
func commonEnd(a, b string) int {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < min(len(as), len(bs)) && as[len(as)-1-n] == bs[len(bs)-1-n] {
		n++
	}
	return n
}
