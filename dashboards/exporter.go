package main

import "fmt"

// exporter is for who runs it: does it get what it asks for, is the record whole,
// does the store hold.
func exporter() frame {
	return frame{
		uid: "carbon-exporter", title: "Exporter", from: "now-2d", to: "now",
		about: "The exporter itself: its sources, the states of its intervals, gaps, coverage, what was refused and restated, and its store.",
		sections: []section{
			{title: "Is all well?", panels: []panel{
				freshness(), sourcesUp(), gaps(), unpriced(), writable(), reloaded(),
			}},
			{title: "Sources", panels: []panel{
				sourceStates().size(12, 7), answered().size(12, 7), failures().size(12, 8), durations().size(12, 8),
			}},
			{title: "The record", panels: []panel{
				intervals().size(12, 8), coverage().size(12, 8),
				rejected().size(8, 7), drift().size(8, 7), restated().size(8, 7),
			}},
			{title: "Forecasts", panels: []panel{forecastErrors().size(24, 6)}},
			{title: "Store and directory", panels: []panel{
				storeSize().size(10, 7), directoryAge().size(4, 7), pendingPostings().size(4, 7), build().size(6, 7),
			}},
		},
	}
}

func sourcesUp() panel {
	return stats("Sources up", "Share of the sources whose last question was answered. Red below 100 %: the panel Sources says which, and docs/runbooks what to do. Nothing is lost meanwhile: what is missing is asked for again.",
		share, now("avg(carbon_exporter_source_up)", "up")).decimals(0).steps(badColour, step{1, goodColour})
}

func writable() panel {
	return stats("Store", "Whether the last write to the store succeeded. Red: the disk is full or the file is read-only; what is due stays due until it is mended.",
		"none", now("min(carbon_exporter_store_writable)", "store")).steps(badColour, step{1, goodColour}).said("1", "writable", goodColour).said("0", "not writable", badColour)
}

func reloaded() panel {
	return stats("Configuration", "Whether the last reload of the configuration succeeded. Red: the file has a fault, and what was in force before still is.",
		"none", now("min(carbon_exporter_config_last_reload_successful)", "configuration")).steps(badColour, step{1, goodColour}).said("1", "loaded", goodColour).said("0", "refused", badColour)
}

func sourceStates() panel {
	return states("Sources", "Whether the last question to each source was answered.", over("min by (source) (carbon_exporter_source_up)", "{{source}}")).
		said("1", "answers", goodColour).said("0", "fails", badColour).steps(badColour, step{1, goodColour})
}

func answered() panel {
	return ranking("Since the last whole answer", "Time since each source last gave a whole answer. Prometheus is asked once a half hour, the carbon API every ten minutes, MongoDB as it is configured. Yellow from an hour: two intervals were missed. Red from 6 hours.",
		"s", now("sort(time() - max by (source) (carbon_exporter_source_last_success_timestamp_seconds))", "{{source}}")).
		decimals(0).between(0, 6*3600).steps(goodColour, step{3600, noteColour}, step{6 * 3600, badColour})
}

func failures() panel {
	return columnsOf("Questions that failed", "How many questions to each source were not answered in the hour before.",
		plain, over("sum by (source) (increase(carbon_exporter_source_errors_total[1h]))", "{{source}}").every("1h")).decimals(0).fromZero()
}

func durations() panel {
	q := func(p string) string {
		return fmt.Sprintf("histogram_quantile(%s, sum by (source, le) (rate(carbon_exporter_source_request_duration_seconds_bucket[3h]))) >= 0", p)
	}
	return lines("How long answers take", "Median and 95th percentile of the time from a question to its whole answer, over three hours: between them lies what is usual. A question of Prometheus is for as long a stretch as is due, at most a day.",
		"s", over(q("0.5"), "{{source}}, median"), over(q("0.95"), "{{source}}, 95 %")).fromZero().field("/95 %/", dashed(), thin())
}

func intervals() panel {
	p := areas("Intervals by state", "Every interval on record by its state. Settled is final; provisional may be restated for a day; unpriced has energy and no intensity yet; empty had no series; missing was not fetched yet. Settled, the record itself, is left out: it would make the rest a line.",
		plain, over(`sum by (state) (carbon_intervals{state!="settled"})`, "{{state}}")).decimals(0).fromZero()
	for _, s := range [][2]string{{"provisional", busyColour}, {"unpriced", noteColour}, {"empty", "semi-dark-purple"}, {"missing", badColour}} {
		p = p.field(s[0], painted(s[1]))
	}
	return p
}

func coverage() panel {
	return lines("Coverage", "CPU seconds of all modes that were seen in the newest interval, over cores x its length. Below 100 %, machines were up for a part of it or scrapes failed. Under the yellow line at 80 % CarbonCoverageLow waits: a fifth of the machines is not seen.",
		share, over("min by (project) (carbon_coverage_ratio)", "{{project}}")).marked(step{0.8, noteColour}).soft(0.75, 1)
}

func rejected() panel {
	return ranking("Refused", "Samples of Prometheus, slots of the carbon API and records of MongoDB that were refused in the time range, by reason: they were not a number, negative, more than can be, or without a name.",
		plain,
		now(`sum by (reason) (increase(carbon_exporter_rejected_samples_total[$__range])) or label_replace(vector(0), "reason", "samples", "", "")`, "{{reason}}"),
		now(`sum by (reason) (increase(carbon_exporter_rejected_records_total[$__range])) or label_replace(vector(0), "reason", "records", "", "")`, "{{reason}}")).
		decimals(0).colour(noteColour)
}

func drift() panel {
	return states("Label drift", "Projects that have lost what they had for days: all of their series, or a label that says whose they are, so that usage may be nobody's. Yellow while it is so; the log says which label.",
		over("max by (project) (carbon_exporter_label_drift)", "{{project}}")).
		said("0", "as it was", goodColour).said("1", "drifted", noteColour).steps(goodColour, step{1, noteColour})
}

func restated() panel {
	return lines("Restated", "What settled in a day over what the same day was priced at first: how far forecasts were off for our own usage. The mean of forecasts and actuals differs by some 24 g/kWh either way; a day of many half hours by less.",
		share, over("sum(increase(carbon_settled_emissions_gco2eq_total[1d])) / (avg_over_time(sum(carbon_emission_rate_gco2eq_per_hour)[1d:10m] offset 24h) * 24) - 1", "settled against first price").every("1h")).decimals(1)
}

func forecastErrors() panel {
	expr := "max by (ahead) (carbon_intensity_forecast_error_gco2eq_per_kwh)"
	for _, r := range [][2]string{
		{"+00:30", "30m"}, {"+0$1:00", "([0-9])h"}, {"+$1:00", "([0-9]{2})h"}, {"+0$1:30", "([0-9])h30m"}, {"+$1:30", "([0-9]{2})h30m"},
	} {
		expr = fmt.Sprintf(`label_replace(%s, "in", "%s", "ahead", "%s")`, expr, r[0], r[1])
	}
	return chart("How far forecasts are off, by how far ahead they were", "Mean absolute difference between the actuals of the last 28 days and what was forecast so far ahead, as it was first seen.",
		gramsPerKWh, "in", rows("sum by (in) ("+expr+")")).
		decimals(0).colour("semi-dark-purple").then("sortBy", map[string]any{"sort": []map[string]any{{"field": "in"}}}).
		then("filterFieldsByName", map[string]any{"include": map[string]any{"names": []string{"in", "Value"}}}).legendless()
}

func storeSize() panel {
	return lines("Size of the store", "On disk, the write-ahead log included. It grows with keys x intervals; half a year of 200 machines is some hundred MB.",
		"bytes", over("sum(carbon_exporter_store_size_bytes)", "store")).colour(busyColour).fromZero()
}

func directoryAge() panel {
	return stats("Directory", "Age of what is known of who had which machine, from MongoDB. Yellow from an hour: it is read every few minutes, and until it is, new workspaces are nobody's. Without MongoDB there is none.",
		"s", now("time() - max(carbon_exporter_directory_timestamp_seconds)", "age")).decimals(0).steps(goodColour, step{3600, noteColour}).empty("no MongoDB")
}

func pendingPostings() panel {
	return stats("To be written", "Intervals that are new or restated and not written to MongoDB yet. Yellow from 96, two days of half hours: that is a backlog. Without usage_database there are none.",
		plain, now("max(carbon_exporter_usage_writer_pending_intervals)", "intervals")).decimals(0).steps(goodColour, step{96, noteColour}).empty("not configured")
}

func build() panel {
	return tables("Build", "Version of the running exporter, the commit it was built from, and the version of Go.", rows(`max by (version, revision, goversion) (label_replace(carbon_exporter_build_info, "revision", "$1", "revision", "(.{1,8}).*"))`)).
		columns([2]string{"version", "Version"}, [2]string{"revision", "Revision"}, [2]string{"goversion", "Go"})
}
