/** @file Adds up the reports that the test runs left, and ends with the line `N passed, N failed`. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folders = [...readdirSync(`${root}/packages`).map(name => `packages/${name}`), 'playground', 'tests']
const total = { passed: 0, skipped: 0, failed: 0 }

for (const folder of folders) {
  const report = readReport(folder)
  if (!report) {
    console.log(`${folder}: its tests left no report, which counts as one failure`)
    total.failed++
    continue
  }
  const brokenFiles = report.testResults.filter(file => file.status === 'failed' && file.assertionResults.length === 0)
  for (const file of brokenFiles) console.log(`${folder}: ${file.name.slice(root.length)} did not run`)
  const failed = report.numFailedTests + brokenFiles.length
  const skipped = report.numPendingTests + report.numTodoTests
  if (failed || skipped) console.log(`${folder}: ${failed} failed, ${skipped} skipped`)
  total.passed += report.numPassedTests
  total.skipped += skipped
  total.failed += failed
}

if (total.skipped) console.log(`${total.skipped} skipped`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed ? 1 : 0)

function readReport(folder) {
  try {
    const name = folder.replace('packages/', '')
    return JSON.parse(readFileSync(`${root}/${folder}/.reports/${name}.json`, 'utf8'))
  } catch {
    return undefined
  }
}
