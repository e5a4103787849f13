#!/usr/bin/env node
/** @file The `quern` command. */
export {}
