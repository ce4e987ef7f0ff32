// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"
)

// shrink writes a PNG again with 256 colours, which takes a third of the bytes, or with fewer if
// that is still too large, and returns its size.
func shrink(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	full, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	var small bytes.Buffer
	for colours := 256; colours >= 32; colours /= 2 {
		small.Reset()
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted(full, colours)); err != nil {
			return 0, err
		}
		if small.Len() <= most {
			break
		}
	}
	return small.Len(), os.WriteFile(path, small.Bytes(), 0o644)
}

// paletted gives each pixel the nearest of so many colours, without dithering: what is even stays
// even.
func paletted(full image.Image, colours int) *image.Paletted {
	counts := map[color.RGBA]int{}
	b := full.Bounds()
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	p := image.NewPaletted(b, palette(counts, colours))
	nearest := map[color.RGBA]uint8{}
	for c := range counts {
		nearest[c] = uint8(p.Palette.Index(c))
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			p.SetColorIndex(x, y, nearest[at(x, y)])
		}
	}
	return p
}

// tint is a colour and how many pixels have it.
type tint struct {
	c color.RGBA
	n int
}

// channel is one of the three parts of the colour.
func (t tint) channel(i int) uint8 { return [3]uint8{t.c.R, t.c.G, t.c.B}[i] }

// palette chooses at most so many colours: all, if there are no more, and else by median cut,
// which halves the pixels of the box of colours that is widest, weighed by its pixels.
func palette(counts map[color.RGBA]int, size int) color.Palette {
	var all []tint
	for c, n := range counts {
		all = append(all, tint{c, n})
	}
	slices.SortFunc(all, func(a, b tint) int { // the same picture twice has the same palette
		return cmp.Or(cmp.Compare(a.c.R, b.c.R), cmp.Compare(a.c.G, b.c.G), cmp.Compare(a.c.B, b.c.B))
	})
	boxes := [][]tint{all}
	for len(boxes) < min(size, len(all)) {
		widest, along, most := 0, 0, -1
		for i, box := range boxes {
			if channel, width := spread(box); width > most {
				widest, along, most = i, channel, width
			}
		}
		low, high := cut(boxes[widest], along)
		boxes[widest] = low
		boxes = append(boxes, high)
	}
	var p color.Palette
	for _, box := range boxes {
		p = append(p, mean(box))
	}
	return p
}

// spread returns the channel in which the colours of a box differ most, and how much that
// matters; less than nothing for a single colour.
func spread(box []tint) (channel, width int) {
	if len(box) < 2 {
		return 0, -1
	}
	pixels := 0
	for _, t := range box {
		pixels += t.n
	}
	for i := range 3 {
		low, high := uint8(255), uint8(0)
		for _, t := range box {
			low, high = min(low, t.channel(i)), max(high, t.channel(i))
		}
		// The ground has most pixels and few colours; a chart has few pixels and many.
		if w := int(high-low) * int(high-low) * int(high-low) * (1 + min(pixels, 1000)); w > width {
			channel, width = i, w
		}
	}
	return channel, width
}

// cut cuts a box in two, each with about half of the pixels and at least one colour.
func cut(box []tint, channel int) (low, high []tint) {
	slices.SortStableFunc(box, func(a, b tint) int { return cmp.Compare(a.channel(channel), b.channel(channel)) })
	pixels := 0
	for _, t := range box {
		pixels += t.n
	}
	i, seen := 0, 0
	for i = 0; i < len(box)-2 && seen+box[i].n <= pixels/2; i++ {
		seen += box[i].n
	}
	return box[:i+1], box[i+1:]
}

// mean is the most frequent colour of a box if it stands for most of its pixels, so that grounds
// and lines keep theirs, and else the mean of all.
func mean(box []tint) color.RGBA {
	var r, g, b, n int
	most := tint{}
	for _, t := range box {
		r, g, b, n = r+int(t.c.R)*t.n, g+int(t.c.G)*t.n, b+int(t.c.B)*t.n, n+t.n
		if t.n > most.n {
			most = t
		}
	}
	if 2*most.n > n {
		return most.c
	}
	return color.RGBA{R: uint8(r / n), G: uint8(g / n), B: uint8(b / n), A: 255}
}
