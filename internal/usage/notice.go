// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

// Topic is what a notice is about. A new notice replaces the last one about the same topic.
type Topic string

// The topics of notices, the most important first.
const (
	TopicUsage         Topic = "usage"            // why there is no usage at all
	TopicLabels        Topic = "labels"           // labels that series lack
	TopicHosts         Topic = "hosts"            // hosts that are not read as they should be
	TopicPower         Topic = "power"            // meters that measure little or nothing
	TopicPrometheus    Topic = "prometheus"       // an outage, and what goes on meanwhile
	TopicCarbon        Topic = "carbon_intensity" // the same
	TopicForecast      Topic = "forecast"         // there is none of the carbon intensity
	TopicDirectory     Topic = "directory"        // a directory that is away or empty
	TopicOwners        Topic = "owners"           // a directory that has none of the machines
	TopicUsageWriter   Topic = "usage_writer"     // usage that is not written elsewhere
	TopicLake          Topic = "lake"             // days that are not published
	TopicMetrics       Topic = "metrics"          // more of them than there should be
	TopicStore         Topic = "store"            // a store that cannot be used
	TopicConfiguration Topic = "configuration"    // settings that are most likely a mistake
)

// Topics lists every topic, the most important first.
func Topics() []Topic {
	return []Topic{
		TopicUsage, TopicLabels, TopicHosts, TopicPower, TopicPrometheus, TopicCarbon, TopicForecast, TopicDirectory, TopicOwners,
		TopicUsageWriter, TopicLake, TopicMetrics, TopicStore, TopicConfiguration,
	}
}
