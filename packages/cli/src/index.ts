/** @file The `quern` command: compile, run, check, inspect, bench, tune, types. */
export {}
