// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestFewColoursStay: a picture of no more colours than a palette holds is the same picture.
func TestFewColoursStay(t *testing.T) {
	full := picture(16, func(x, y int) color.RGBA { return color.RGBA{uint8(x * 16), uint8(y * 16), 7, 255} })
	small := shrunk(t, full)
	for y := range 16 {
		for x := range 16 {
			if got, want := color.RGBAModel.Convert(small.At(x, y)), full.At(x, y); got != want {
				t.Fatalf("at %d, %d: got %v, want %v", x, y, got, want)
			}
		}
	}
}

// TestManyColoursAreNear: no pixel of a picture of 65 536 colours moves far, and its ground, which
// is half of it, not at all.
func TestManyColoursAreNear(t *testing.T) {
	ground := color.RGBA{17, 18, 23, 255}
	full := picture(512, func(x, y int) color.RGBA {
		if y >= 256 {
			return ground
		}
		return color.RGBA{uint8(x / 2), uint8(y), uint8(255 - x/2), 255}
	})
	small := shrunk(t, full)
	far := func(a, b uint8) bool { return max(a, b)-min(a, b) > 24 }
	for y := range 512 {
		for x := range 512 {
			got, want := color.RGBAModel.Convert(small.At(x, y)).(color.RGBA), full.RGBAAt(x, y)
			if far(got.R, want.R) || far(got.G, want.G) || far(got.B, want.B) {
				t.Fatalf("at %d, %d: got %v, want %v", x, y, got, want)
			}
			if want == ground && got != ground {
				t.Fatalf("the ground became %v", got)
			}
		}
	}
}

func picture(size int, at func(x, y int) color.RGBA) *image.RGBA {
	full := image.NewRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			full.SetRGBA(x, y, at(x, y))
		}
	}
	return full
}

func shrunk(t *testing.T, full image.Image) image.Image {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.png")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, full); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	size, err := shrink(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	if info, err := text.Stat(); err != nil || info.Size() != int64(size) {
		t.Fatalf("the file has not %d bytes: %v %v", size, info, err)
	}
	small, err := png.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := small.(*image.Paletted); !ok {
		t.Fatalf("it is a %T", small)
	}
	return small
}
