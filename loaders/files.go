package loaders

import (
	"context"
	"errors"
	"fmt"
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

// Roots are the files and folders below which the sources' files lie: for
// each path the part before its first wildcard, and the files elsewhere to
// which symbolic links lead; of a query, the folder of the definitions. They are what an engine for these definitions
// must be allowed to read.
func Roots(defs *metrics.Definitions) []string {
	var roots []string
	for _, src := range slices.Concat(defs.Sources.Impressions, defs.Sources.Events, defs.Sources.Units, defs.Sources.ExcludeUnits) {
		if src.SQL.Set {
			roots = append(roots, located(src, "."))
		}
		for _, p := range src.Paths {
			pattern := located(src, p.V)
			if objectstore.IsURL(pattern) {
				if at, _, err := objectPattern(pattern); err == nil { // else it is said when it is inspected
					roots = append(roots, at.String())
				}
				continue
			}
			root, _ := splitGlob(pattern)
			files, _ := expand(pattern) // what cannot be read is said when it is inspected
			roots = append(append(roots, root), linkTargets(root, files)...)
		}
	}
	slices.Sort(roots)
	return slices.Compact(roots)
}

// findFiles lists the data files of a source, sorted, each once; of those in an
// object store the ones of the days that matter. Where there are none, the list
// says what was looked for and how far it led.
func findFiles(ctx context.Context, engine *Engine, src *metrics.Source, matters span, list *diag.List) ([]string, error) {
	var found []string
	var lost diag.List
	for _, p := range src.Paths {
		if strings.Contains(p.V, "://") {
			files, err := engine.objectsOf(ctx, src, p, matters, list, &lost)
			if err != nil {
				return nil, err
			}
			found = append(found, files...)
			continue
		}
		pattern := located(src, p.V)
		files, err := expand(pattern)
		switch why, hint := lasting(err); {
		case why != "":
			list.Errorf(p.Pos, "bad-file", "%s", why).Hint = hint
			continue
		case err != nil:
			return nil, err
		}
		if len(files) == 0 {
			lost.Errorf(p.Pos, "no-files", "no files match %q", pattern).Hint = nearestPath(pattern)
		}
		found = append(found, files...)
	}
	if len(found) == 0 { // where a path is wrong, the list says so already
		*list = append(*list, lost...)
		return nil, nil
	}
	for _, d := range lost {
		d.Severity = diag.Warning
		*list = append(*list, d)
	}
	slices.Sort(found)
	found = slices.DeleteFunc(slices.Compact(found), func(file string) bool {
		what := irregular(file)
		if what != "" {
			list.Errorf(pathTo(src, file), "bad-file", "%s is %s, which cannot be read as a file", file, what).
				WithHint("write the rows to a file, and give its path")
		}
		return what != ""
	})
	warnOfTables(src, found, list)
	return once(src, found, list), nil
}

// lasting says why a file or folder cannot be read where trying again would not help, and
// what does; it is empty for other errors.
func lasting(err error) (why, hint string) {
	var e *UnreachableError
	if !errors.As(err, &e) || e.Path == "" || objectstore.IsURL(e.Path) {
		return "", ""
	}
	name := filepath.FromSlash(e.Path)
	if errors.Is(e.Err, fs.ErrPermission) {
		return e.Path + " may not be read", "give the user who runs metricsjob the permission to read it, and to enter the folders above"
	}
	if target, failed := os.Readlink(name); failed == nil && errors.Is(e.Err, fs.ErrNotExist) {
		return fmt.Sprintf("%s is a link to %s, which is not there", e.Path, target), "mend the link, or leave it out of the path"
	}
	return "", ""
}

// irregular says what a name stands for that is neither a file nor a folder;
// to open it could take forever. It is empty for all others.
func irregular(name string) string {
	if objectstore.IsURL(name) {
		return ""
	}
	info, err := os.Stat(filepath.FromSlash(name))
	switch {
	case err != nil || info.Mode().IsRegular() || info.IsDir():
		return ""
	case info.Mode()&fs.ModeNamedPipe != 0:
		return "a pipe"
	case info.Mode()&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

// pathTo is the place of the path of a source that leads to a file.
func pathTo(src *metrics.Source, file string) diag.Pos {
	for _, p := range src.Paths {
		if objectstore.IsURL(p.V) {
			if meansObject(p.V, file) {
				return p.Pos
			}
			continue
		}
		if files, err := expand(located(src, p.V)); err == nil && slices.Contains(files, file) {
			return p.Pos
		}
	}
	return src.Pos
}

// located is a path of a source as seen from the working folder, with slashes.
func located(src *metrics.Source, p string) string {
	if objectstore.IsURL(p) {
		return p
	}
	if !filepath.IsAbs(p) {
		p = filepath.Join(src.Dir, p)
	}
	return filepath.ToSlash(filepath.Clean(p))
}

// expand lists the data files that a pattern means. A segment ** is any
// number of folders, linked ones too unless they lead back to where the search
// came from; * and ? and [] are those of path.Match. A folder stands
// for all data files below it, its Parquet files where it has any. Side files and hidden files do not count,
// unless the pattern names them letter by letter.
func expand(pattern string) ([]string, error) {
	root, rest := splitGlob(pattern)
	info, err := os.Stat(filepath.FromSlash(root))
	switch {
	case errors.Is(err, fs.ErrNotExist) && !isLink(root):
		return nil, nil
	case err != nil:
		return nil, &UnreachableError{Path: root, Err: err}
	case rest != "" && !info.IsDir():
		return nil, nil
	case rest != "" && path.Base(rest) == "**":
		files, err := search(root, rest)
		return oneFormat(files), err
	case rest != "":
		return search(root, rest)
	case info.IsDir():
		return below(root)
	default:
		return []string{root}, nil
	}
}

// below lists the data files in a folder and its folders, of one format where
// it has Parquet files.
func below(folder string) ([]string, error) {
	files, err := search(folder, "**")
	return oneFormat(files), err
}

// anyData is the segment of a pattern that the names of all data files match.
const anyData = "*.{data}"

// search lists what a pattern matches in a folder.
func search(folder, pattern string) ([]string, error) {
	var s finder
	err := s.match(folder, strings.Split(pattern, "/"), nil)
	return s.files, err
}

// finder collects the files that a pattern matches.
type finder struct{ files []string }

// match adds what the segments of a pattern match in a folder. Came are the
// folders, resolved, that links were followed from.
func (s *finder) match(folder string, segments, came []string) error {
	head, rest := segments[0], segments[1:]
	if head == "**" {
		if len(rest) == 0 {
			rest = []string{anyData}
		}
		if err := s.match(folder, rest, came); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(filepath.FromSlash(folder))
	if err != nil {
		return &UnreachableError{Path: folder, Err: err}
	}
	for _, entry := range entries {
		name := path.Join(folder, entry.Name())
		if head == "**" {
			if !isSide(entry.Name()) {
				if err := s.descend(name, entry, segments, came); err != nil {
					return err
				}
			}
			continue
		}
		if head != entry.Name() && (isSide(entry.Name()) || !matches(head, entry.Name())) {
			continue
		}
		info, err := os.Stat(filepath.FromSlash(name))
		if err != nil {
			return &UnreachableError{Path: name, Err: err}
		}
		switch {
		case info.IsDir() && len(rest) > 0:
			if err := s.match(name, rest, came); err != nil {
				return err
			}
		case info.IsDir():
			inside, err := below(name)
			if err != nil {
				return err
			}
			s.files = append(s.files, inside...)
		case len(rest) == 0:
			s.files = append(s.files, name)
		}
	}
	return nil
}

// descend goes on in a folder or a link to one.
func (s *finder) descend(name string, entry fs.DirEntry, segments, came []string) error {
	switch {
	case entry.IsDir():
		return s.match(name, segments, came)
	case entry.Type()&fs.ModeSymlink == 0 || !isFolder(name):
		return nil
	}
	came = append(slices.Clone(came), resolver()(path.Dir(name)))
	if leadsBack(name, came) {
		return nil
	}
	return s.match(name, segments, came)
}

// matches reports whether a name fits one segment of a pattern.
func matches(segment, name string) bool {
	if segment == anyData {
		return endingFormat(name) != ""
	}
	ok, err := path.Match(segment, name)
	return err == nil && ok
}

// isSide reports whether a file or folder is hidden or was left by the
// program that wrote the data (_SUCCESS, _temporary, .part-0.crc). A folder
// of a hive partition, as in _day=1, is not.
func isSide(name string) bool {
	return strings.HasPrefix(name, ".") ||
		strings.HasPrefix(name, "_") && !strings.Contains(name, "=") ||
		strings.HasSuffix(name, ".crc")
}

// splitGlob cuts a pattern into the longest part without wildcards that ends
// at a slash, and the rest; the rest is empty where there are no wildcards or
// where a file has exactly that name.
func splitGlob(pattern string) (root, rest string) {
	if !strings.ContainsAny(pattern, "*?[") {
		return pattern, ""
	}
	if _, err := os.Stat(filepath.FromSlash(pattern)); err == nil {
		return pattern, ""
	}
	segments := strings.Split(pattern, "/")
	i := slices.IndexFunc(segments, func(s string) bool { return strings.ContainsAny(s, "*?[") })
	root = strings.Join(segments[:i], "/")
	switch {
	case root == "" && i > 0:
		root = "/"
	case root == "":
		root = "."
	}
	return root, strings.Join(segments[i:], "/")
}

// nearestPath says how far a pattern without matches leads, and what is there.
func nearestPath(pattern string) string {
	root, rest := splitGlob(pattern)
	missing := ""
	for !isFolder(root) {
		if isFile(root) {
			return fmt.Sprintf("%s is a file", root)
		}
		missing = path.Base(root)
		up := path.Dir(root)
		if up == root {
			return ""
		}
		root = up
	}
	entries, err := os.ReadDir(filepath.FromSlash(root))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if !isSide(e.Name()) {
			names = append(names, e.Name())
		}
	}
	switch {
	case missing != "":
		if near, ok := diag.Nearest(missing, names); ok {
			return fmt.Sprintf("the folder %s has no %q; did you mean %q?", root, missing, near)
		}
		return fmt.Sprintf("the folder %s has no %q", root, missing)
	case isFile(path.Join(root, "_rejects.ndjson")):
		return fmt.Sprintf("the folder %s holds no data, but records that convert rejected: see %[1]s/_rejects.ndjson", root)
	case len(names) == 0:
		return fmt.Sprintf("the folder %s is there, but holds no data files", root)
	case rest == "":
		return fmt.Sprintf("the folder %s holds %s, but no file with the ending of a data file; for NDJSON under other names write path: %s and format: ndjson",
			root, some(names, 5), quoteText(root+"/**/*"))
	default:
		return fmt.Sprintf("the folder %s is there, but nothing in it matches %q; it holds %s", root, rest, some(names, 5))
	}
}

func isLink(name string) bool {
	info, err := os.Lstat(filepath.FromSlash(name))
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

func isFolder(name string) bool {
	info, err := os.Stat(filepath.FromSlash(name))
	return err == nil && info.IsDir()
}

func isFile(name string) bool {
	info, err := os.Stat(filepath.FromSlash(name))
	return err == nil && !info.IsDir()
}

// some lists the first n words and says how many more there are.
func some(words []string, n int) string {
	if len(words) <= n {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:n], ", "), len(words)-n)
}
