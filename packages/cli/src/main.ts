#!/usr/bin/env node
/** @file The `quern` command. */

// What writes the help reads this when it is loaded, and takes only `1` for it: colours are for terminals.
if (!process.stdout.isTTY || process.env['NO_COLOR']) process.env['NO_COLOR'] = '1'
const { runMain } = await import('citty')
const { quern } = await import('./index.ts')

await runMain(quern)
