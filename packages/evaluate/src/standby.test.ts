import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { evaluateModelFile } from './evaluate.ts'
import { type Standby, createStandby } from './standby.ts'

it('gives every evaluation a thread of its own, also one that waited', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quern-standby-'))
  try {
    const file = join(folder, 'a.model.ts')
    const standby = createStandby()
    const evaluate = (text: string) => {
      writeFileSync(file, text)
      return evaluateModelFile(file, { standby })
    }
    const counts = `export const evaluated = globalThis.evaluated = (globalThis.evaluated ?? 0) + 1
import { threadId } from 'node:worker_threads'
export const thread = threadId`
    expect((await evaluate(counts)).exports['evaluated']).toBe(1)
    const waiting = standby.take()
    const put: Standby = { prepare: () => {}, take: () => waiting }
    const { threadId } = waiting.worker
    writeFileSync(file, counts)
    expect((await evaluateModelFile(file, { standby: put })).exports).toEqual({ evaluated: 1, thread: threadId })
    expect((await evaluate('for (;;')).error?.code).toBe('model/syntax')
    expect((await evaluate(counts)).exports['evaluated']).toBe(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('says what broke a thread that waited', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'quern-standby-'))
  try {
    const file = join(folder, 'a.model.ts')
    writeFileSync(file, 'export const a = 1')
    const standby = createStandby()
    standby.prepare()
    const thread = standby.take()
    await thread.worker.terminate()
    const { error } = await evaluateModelFile(file, { standby: { ...standby, take: () => thread }, timeout: 5000 })
    expect(error?.code).toBe('evaluate/worker')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
