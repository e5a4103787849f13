/** @file The code that stands where a model file was: literals for its data, and a few lines for each program. */
import type { Manifest } from '@quern/artifact'
import { dataToEsm, makeLegalIdentifier } from '@rollup/pluginutils'
import type { EvaluatedProgram, Evaluation } from '@quern/evaluate'
import { idOfProgram } from './ids.ts'

const literal = (value: unknown): string =>
  dataToEsm(value, { namedExports: false, preferConst: true })
    .replace(/^export default /, '')
    .replace(/;\s*$/, '')

const exported = (name: string): string => (/^[\w$]+$/.test(name) ? name : JSON.stringify(name))

/** A model file as the bundle sees it. Each program is a module of its own: one that nobody imports ships nothing. */
export const modelModule = (file: string, { programs, exports }: Pick<Evaluation, 'programs' | 'exports'>): string => {
  const lines = programs.map(
    ({ exportName }) =>
      `export { default as ${exported(exportName)} } from ${JSON.stringify(idOfProgram(file, exportName))}`,
  )
  Object.entries(exports).forEach(([name, value], i) => {
    const simple = name === makeLegalIdentifier(name)
    if (simple) lines.push(`export const ${name} = ${literal(value)}`)
    else if (name === 'default') lines.push(`export default ${literal(value)}`)
    else lines.push(`const data${i} = ${literal(value)}`, `export { data${i} as ${exported(name)} }`)
  })
  return `${lines.join('\n')}\n`
}

/** JSON as code. In a literal `"__proto__":` would set the prototype; that text with its colon is nothing but a key. */
const manifestLiteral = (manifest: Manifest): string =>
  JSON.stringify(manifest).replaceAll('"__proto__":', '["__proto__"]:')

/** A program as the bundle sees it; `asset` says where a file of its artifacts is, as an expression. */
export const programModule = (
  { name, kind, artifacts }: EvaluatedProgram,
  asset: (artifact: number, file: string, bytes: Uint8Array) => string,
): string => {
  const parts = artifacts.map(({ manifest, files }, i) => {
    const assets = Object.entries(files).map(
      ([file, bytes]) => `      ${JSON.stringify(file)}: ${asset(i, file, bytes)}`,
    )
    return `    {\n      manifest: ${manifestLiteral(manifest)},\n      assets: {\n  ${assets.join(',\n  ')}\n      }\n    }`
  })
  const webgpu = artifacts.some(a => a.manifest.target === 'webgpu')
  return `import { createModel } from '@quern/runtime'
export default /*#__PURE__*/ createModel({
  name: ${JSON.stringify(name)},
  kind: ${JSON.stringify(kind)},${webgpu ? "\n  webgpu: () => import('@quern/runtime/webgpu')," : ''}
  artifacts: [
${parts.join(',\n')}
  ]
})
`
}
