// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Runs one SQL statement, which is on standard input, with DuckDB, and writes its rows as JSON.
import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";

const db = await DuckDBInstance.create(":memory:");
const connection = await db.connect();
const answer = await connection.runAndReadAll(readFileSync(0, "utf8"));
console.log(JSON.stringify(answer.getRowObjectsJson()));
