// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strings"
	"time"
)

var (
	lakeFile   = check{Lake, "file"}
	lakeBucket = check{Lake, "bucket"}
	lakeRights = check{Lake, "rights"}
)

// Bucket is where a lake is.
type Bucket struct {
	Kind  string // type in its file: S3, FILESYSTEM ...
	Place string // without a secret
	Dir   string // of FILESYSTEM
}

// LakeFile is about the file that says where the bucket is. fault is empty if there is none.
func LakeFile(file string, b Bucket, fault string) Finding {
	if fault != "" {
		return lakeFile.fail("correct the file, or lake.objstore_config_file; examples/bucket.yml is one, with type, config and prefix", "%s: %s", file, fault)
	}
	return lakeFile.ok("%s can be read; the lake is %s", file, b.Place)
}

// LakeDirectory is about the directory of a bucket that is not there. published is how many days
// the store has published to it.
func LakeDirectory(b Bucket, published int) Finding {
	if published > 0 {
		return lakeBucket.fail("mount what belongs there, or correct config.directory; if it is gone for good, create it, and all days that the store has are published again",
			"there is no directory %s, and %s were published to it", b.Dir, many(published, "day"))
	}
	return lakeBucket.warn("create it, or mount what belongs there: carbon_exporter makes a directory that is missing, also where a mount is",
		"there is no directory %s; the rights are not tried, so that it is not made by this", b.Dir)
}

// LakeBucket is about a bucket that lists what it has, or does not.
func LakeBucket(b Bucket, took time.Duration, fault string, denied bool) Finding {
	switch {
	case denied:
		return lakeBucket.fail(give(b, "list"), "%s does not let us list what it has: %s", b.Place, brief(fault))
	case fault != "":
		return lakeBucket.fail("check the bucket, the address and the keys in the file, and whether this machine reaches it; days wait in the store meanwhile",
			"%s does not list what it has: %s", b.Place, brief(fault))
	}
	return lakeBucket.ok("%s answers in %s", b.Place, took.Round(time.Millisecond))
}

// Right is a right that was tried.
type Right struct {
	Name   string // write, read or delete
	Fault  string // empty: we have it
	Denied bool   // the storage says that this account may not
}

// LakeRights is about what an account may do, by an object that was written, read and deleted.
func LakeRights(b Bucket, object string, tried []Right) (all []Finding) {
	for _, r := range tried {
		if r.Fault == "" {
			continue
		}
		do, seen := give(b, r.Name), fmt.Sprintf("%s does not let us %s %s: %s", b.Place, r.Name, object, brief(r.Fault))
		if !r.Denied {
			do, seen = "see the sentence of the storage; days wait in the store meanwhile", fmt.Sprintf("could not %s %s: %s", r.Name, object, brief(r.Fault))
		}
		switch r.Name {
		case "write":
			seen += "; reading and deleting are not tried"
		case "delete":
			do += "; then delete this object by hand, if it is still there"
		}
		all = append(all, lakeRights.fail(do, "%s", seen))
	}
	if len(all) > 0 {
		return all
	}
	return []Finding{lakeRights.ok("we may list, write, read and delete: a small object was written and is removed again")}
}

// rights are the names of rights where storage has them.
var rights = map[string]map[string]string{
	"S3":  {"list": "s3:ListBucket", "write": "s3:PutObject", "read": "s3:GetObject", "delete": "s3:DeleteObject"},
	"GCS": {"list": "storage.objects.list", "write": "storage.objects.create", "read": "storage.objects.get", "delete": "storage.objects.delete"},
}

// give says who is to get which right.
func give(b Bucket, right string) string {
	switch {
	case b.Kind == "FILESYSTEM":
		return fmt.Sprintf("give the user of carbon_exporter the right to %s in %s, and run this as that user", right, b.Dir)
	case rights[b.Kind] != nil:
		return fmt.Sprintf("give the account of the file the right to %s (%s); it needs those to read, write, list and delete", right, rights[b.Kind][right])
	}
	return fmt.Sprintf("give the account of the file the right to %s; it needs those to read, write, list and delete", right)
}

// longestFault is how much of what storage says is shown.
const longestFault = 300

// brief is the begin of a text, in one line: some storage answers with whole pages.
func brief(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > longestFault {
		return string(r[:longestFault]) + " ..."
	}
	return text
}
