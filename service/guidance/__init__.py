"""The judgement: each rule is a small pure function from the chart to a finding, named after its card."""
