/** @file Vite plugin: `import stages from './x.model.ts?stages'` gives every stage of the compiler as text, for the code views. */
import { evaluateModelFile } from '@quern/evaluate'
import type { Plugin } from 'vite'

export interface Stages {
  /** Text by target, then by stage; passes that ran twice keep the later text. */
  readonly [target: string]: Readonly<Record<string, string>>
}

const suffix = '?stages'

export const stages = (): Plugin => ({
  name: 'playground:stages',
  enforce: 'pre',
  async load(id) {
    if (!id.endsWith(suffix)) return undefined
    const file = id.slice(0, -suffix.length)
    const result = await evaluateModelFile(file, { stages: true, compile: { targets: ['wasm', 'webgpu'] } })
    for (const dependency of result.dependencies) this.addWatchFile(dependency)
    const texts: Record<string, Record<string, string>> = {}
    for (const { target, stage, text } of result.programs[0]?.stages ?? []) (texts[target] ??= {})[stage] = short(text)
    return `export default ${JSON.stringify(texts)}`
  },
})

/** Names the user's files without their folders. */
const short = (text: string): string => text.replace(/(?:file:\/\/)?\/[^\s:"]*\/([^/\s:"]+\.model\.ts)/g, '$1')
