#!/usr/bin/env node
/** @file The `quern` command. */
import { runMain } from 'citty'
import { quern } from './index.ts'

await runMain(quern)
