// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// ErrWrites means that the pipeline would write, and was not sent.
var ErrWrites = errors.New("pipelines that write ($out, $merge) are refused")

// readOnly returns the stages of a pipeline if none of them writes, at any depth. Inside
// $facet, $lookup or $unionWith the server would refuse most of them itself, but a later server
// may not. The bytes that are checked are the bytes that are sent.
func readOnly(pipeline any) (bson.RawValue, error) {
	doc, err := bson.Marshal(bson.D{{Key: "pipeline", Value: pipeline}})
	if err != nil {
		return bson.RawValue{}, fmt.Errorf("pipeline: %w", err)
	}
	stages, err := bson.Raw(doc).LookupErr("pipeline")
	if err != nil {
		return bson.RawValue{}, fmt.Errorf("pipeline: %w", err)
	}
	if stages.Type != bson.TypeArray {
		return bson.RawValue{}, fmt.Errorf("pipeline: must be a list of stages, but is %s", stages.Type)
	}
	return stages, refuse(stages)
}

// refuse checks every document and list inside a value.
func refuse(v bson.RawValue) error {
	var inner bson.Raw
	switch v.Type {
	case bson.TypeEmbeddedDocument:
		inner = v.Document()
	case bson.TypeArray:
		inner = bson.Raw(v.Array())
	default:
		return nil
	}
	elements, err := inner.Elements()
	if err != nil {
		return fmt.Errorf("pipeline: %w", err)
	}
	for _, e := range elements {
		if key := e.Key(); key == "$out" || key == "$merge" {
			return ErrWrites
		}
		if err := refuse(e.Value()); err != nil {
			return err
		}
	}
	return nil
}
