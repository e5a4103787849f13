/**
 * @file What modules import from model files, held against what those export: a browser says of a name that is missing only that it is,
 * in its console, and the page stays blank.
 */
import { readFileSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { basename } from 'node:path'
import { QuernError } from '@quern/artifact'
import { type Span, codeFrame, didYouMean } from '@quern/core-ir'
import type { Evaluation } from '@quern/evaluate'
import type { ReportedError } from './bundler.ts'
import { placeLine } from './failures.ts'
import { splitId } from './ids.ts'

/** A name that a module takes from a model file. */
export interface ImportedName {
  readonly modelFile: string
  readonly name: string
  readonly at: Span
}

interface Identifier {
  readonly type: string
  readonly name?: string
  readonly value?: unknown
}
interface Specifier {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly imported?: Identifier
  readonly local?: Identifier
}
interface Statement {
  readonly type: string
  readonly source?: { readonly value?: unknown } | null
  readonly specifiers?: readonly Specifier[]
}

export interface ParsedModule {
  readonly body: readonly unknown[]
}

const nameOf = (specifier: Specifier): string | undefined => {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  // `import { a as b }` imports a; `export { a as b } from` takes a, which is its local name.
  const taken =
    specifier.type === 'ImportSpecifier'
      ? specifier.imported
      : specifier.type === 'ExportSpecifier'
        ? specifier.local
        : undefined
  return taken?.name ?? (typeof taken?.value === 'string' ? taken.value : undefined)
}

/** Where an offset of the code stands in the file that it was made of. */
const placeOf = (file: string, code: string, map: string, specifier: Specifier): Span => {
  const before = code.slice(0, specifier.start)
  const line = before.split('\n').length - 1
  const column = specifier.start - (before.lastIndexOf('\n') + 1)
  const entry = new SourceMap(JSON.parse(map) as SourceMapPayload).findEntry(line, column)
  const length = Math.max(1, specifier.end - specifier.start)
  return 'originalLine' in entry
    ? { file, line: entry.originalLine + 1, column: entry.originalColumn + 1, length }
    : { file, line: line + 1, column: column + 1, length }
}

export const importedNames = async (
  importer: string,
  code: string,
  parsed: ParsedModule,
  map: () => string,
  resolve: (source: string) => Promise<string | undefined>,
): Promise<readonly ImportedName[]> => {
  const found: ImportedName[] = []
  for (const { source, specifiers = [] } of parsed.body as readonly Statement[]) {
    if (typeof source?.value !== 'string' || specifiers.length === 0) continue
    const modelFile = await resolve(source.value)
    if (modelFile === undefined) continue
    for (const specifier of specifiers) {
      const name = nameOf(specifier)
      if (name !== undefined) found.push({ modelFile, name, at: placeOf(importer, code, map(), specifier) })
    }
  }
  return found
}

export const missingName = ({ programs, exports }: Evaluation, names: readonly ImportedName[]) => {
  const there = [...programs.map(p => p.exportName), ...Object.keys(exports)]
  const wrong = names.find(({ name }) => !there.includes(name))
  if (wrong === undefined) return undefined
  const { name, modelFile, at } = wrong
  const file = basename(modelFile)
  const models = programs.map(p => p.exportName)
  const named = models.filter(m => m !== 'default')
  const advice =
    name === 'default'
      ? `its ${named.length === 1 ? 'model is' : 'models are'} ${named.join(', ')}: write \`import { ${named[0]} } from …\` here, or \`export default\` there`
      : didYouMean(name, there)
  return asReportedAt(
    new QuernError(
      'model/no-such-export',
      `${file} has no ${name === 'default' ? 'default export' : `export ${name}`}: ${advice}`,
      {
        origin: at,
      },
    ),
    at,
  )
}

const asReportedAt = ({ name, message }: QuernError, at: Span): ReportedError => {
  const { file, line, column } = at
  let frame: string | undefined
  try {
    frame = codeFrame(readFileSync(file, 'utf8'), { ...at, length: at.length ?? 1 })
  } catch {
    // A virtual module has no file to quote.
  }
  return {
    name,
    message,
    id: splitId(file).file,
    stack: placeLine(`${file}:${line}:${column}`),
    loc: { file, line, column },
    ...(frame === undefined ? {} : { frame }),
  }
}
