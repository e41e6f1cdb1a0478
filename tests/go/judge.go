// Judge verifies a published log with golang.org/x/mod, which shares no code with it.
//
//	judge VKEY PUBLIC CHECKPOINT...
//
// PUBLIC is the folder of a log as C2SP tlog-tiles describes it. Each CHECKPOINT is a
// file with a signed checkpoint of that log, in ascending order of size. For each of
// them, judge reads the tree out of the tiles of exactly that size, proves and checks
// the inclusion of entries, and consistency with every checkpoint before it.
//
// The library authenticates tiles and believes entry bundles. Judge believes neither:
// it hashes every entry of every bundle, and builds the tree over them once more.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height   = 8
	width    = 1 << height
	provable = 1000 // above, inclusion is proven of every 97th entry and the edges
)

// folder reads tiles from the files of a log.
type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := f.read(strconv.Itoa(t.L), t.N, t.W)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// read reads the tile or bundle n of a level.
func (f folder) read(level string, n int64, w int) ([]byte, error) {
	place := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		place = fmt.Sprintf("x%03d/%s", n%1000, place)
	}
	if w < width {
		place += fmt.Sprintf(".p/%d", w)
	}
	return os.ReadFile(filepath.Join(string(f), "tile", level, place))
}

// leaves hashes the entries of a tree of size n, bundle by bundle.
func (f folder) leaves(n int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for at := int64(0); at < n; at += width {
		w := int(n - at)
		if w > width {
			w = width
		}
		data, err := f.read("entries", at/width, w)
		if err != nil {
			return nil, err
		}
		for i := 0; i < w; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("the bundle at %d ends too early", at)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			hashes = append(hashes, tlog.RecordHash(data[2:end]))
			data = data[end:]
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("the bundle at %d ends too late", at)
		}
	}
	return hashes, nil
}

// open reads a checkpoint signed by the key.
func open(path string, key note.Verifier) (tlog.Tree, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	n, err := note.Open(data, note.VerifierList(key))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s: %q", key.Name(), n.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("not a size: %q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("not a root: %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// rebuild computes the root over leaf hashes without any tile.
func rebuild(leaves []tlog.Hash) (tlog.Hash, error) {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(i), leaf, read)
		if err != nil {
			return tlog.Hash{}, err
		}
		stored = append(stored, more...)
	}
	return tlog.TreeHash(int64(len(leaves)), read)
}

// judgeTree checks one tree: tiles against the root, bundles against the tiles.
func judgeTree(f folder, tree tlog.Tree) error {
	if tree.N == 0 {
		// The library cannot read an empty tree, and there is no file to read.
		if tree.Hash != sha256.Sum256(nil) {
			return fmt.Errorf("the root of an empty tree is %v", tree.Hash)
		}
		return nil
	}
	reader := tlog.TileHashReader(tree, f)
	leaves, err := f.leaves(tree.N)
	if err != nil {
		return err
	}
	var indexes []int64
	for i := range leaves {
		indexes = append(indexes, tlog.StoredHashIndex(0, int64(i)))
	}
	hashes, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for i, leaf := range leaves {
		if hashes[i] != leaf {
			return fmt.Errorf("entry %d is not what its tile says", i)
		}
	}
	root, err := rebuild(leaves)
	if err != nil || root != tree.Hash {
		return fmt.Errorf("the entries make the root %v (%v)", root, err)
	}
	return judgeInclusion(reader, tree, leaves)
}

// judgeInclusion proves and checks that entries are in the tree.
func judgeInclusion(r tlog.HashReader, tree tlog.Tree, leaves []tlog.Hash) error {
	for i, leaf := range leaves {
		n := int64(i)
		if tree.N > provable && n%97 != 0 && n%width != 0 && n != tree.N-1 {
			continue
		}
		proof, err := tlog.ProveRecord(tree.N, n, r)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("entry %d: %v", i, err)
		}
	}
	return nil
}

// judgeConsistency proves and checks that a tree continues an older one.
func judgeConsistency(f folder, tree, old tlog.Tree) error {
	if old.N > tree.N {
		return fmt.Errorf("the log went back from %d to %d", old.N, tree.N)
	}
	if old.N == 0 {
		return nil // every tree continues the empty one
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, f))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func judge(vkey string, f folder, checkpoints []string) error {
	key, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	var trees []tlog.Tree
	for _, path := range checkpoints {
		tree, err := open(path, key)
		if err != nil {
			return fmt.Errorf("%s: %v", path, err)
		}
		if err := judgeTree(f, tree); err != nil {
			return fmt.Errorf("size %d: %v", tree.N, err)
		}
		for _, old := range trees {
			if err := judgeConsistency(f, tree, old); err != nil {
				return fmt.Errorf("from %d to %d: %v", old.N, tree.N, err)
			}
		}
		trees = append(trees, tree)
		fmt.Println("verified", tree.N, tree.Hash)
	}
	return nil
}

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: judge VKEY PUBLIC CHECKPOINT...")
		os.Exit(2)
	}
	if err := judge(os.Args[1], folder(os.Args[2]), os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}
