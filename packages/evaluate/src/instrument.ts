/**
 * @file Instruments the calls of a model module, so that a tensor knows the user's line and variable: `conv2d(x, w)` becomes
 * `$call(span, conv2d)(x, w)`, `x.add(y)` becomes `$callMethod(span, x, 'add')(y)`, and `if (x)` becomes
 * `if ($condition(span, x))`, which refuses a tensor. Lines and the source map are kept.
 */
import MagicString, { type SourceMap } from 'magic-string'
import { parseSync } from 'rolldown/utils'
import type { Span } from '@quern/core-ir'
import { type AstNode, children, isNode, memberText, unwrap } from './ast.ts'

export interface Instrumented {
  readonly code: string
  readonly map: SourceMap
  /** The relative URLs of `new URL('…', import.meta.url)`: files that evaluation is going to read. */
  readonly urls: readonly string[]
  readonly imports: readonly NamedImport[]
  /** Where the module names what it exports. */
  readonly exports: Readonly<Record<string, Span>>
}

/** `import { name } from 'from'`. */
export interface NamedImport {
  readonly from: string
  readonly name: string
  readonly span: Span
}

export interface InstrumentOptions {
  /** Absolute path of the module; what its spans and its `import.meta` name. */
  readonly file: string
  /** What `import.meta.url` is, as a string. */
  readonly url: string
  readonly dirname: string
  /** Off for modules that use no tensors: they only get their `import.meta`. */
  readonly calls: boolean
  /** Where `call`, `callMethod`, `condition` and `thrown` come from. */
  readonly instrumented: string
}

const languages: Readonly<Record<string, 'ts' | 'tsx' | 'js' | 'jsx'>> = {
  ts: 'ts',
  mts: 'ts',
  cts: 'ts',
  tsx: 'tsx',
  jsx: 'jsx',
}

/** `undefined` where nothing is to change, or where the parser refuses: the bundler then says why, with its own frame. */
export const instrument = (code: string, options: InstrumentOptions): Instrumented | undefined => {
  const lang = languages[options.file.slice(options.file.lastIndexOf('.') + 1)] ?? 'js'
  const { program, errors } = parseSync(options.file, code, { lang, preserveParens: true })
  if (errors.length > 0 || !isNode(program)) return undefined
  const text = new MagicString(code)
  const spanAt = spanFinder(code, options.file)
  const urls: string[] = []
  const imports: NamedImport[] = []
  const exports: Record<string, Span> = Object.create(null)
  let used = false

  const visit = (node: AstNode, name: string | undefined, onChain: boolean): void => {
    switch (node.type) {
      case 'CallExpression':
        if (options.calls && !onChain) wrapCall(node, name)
        break
      case 'MemberExpression': {
        const value = metaValue(node, options)
        if (value !== undefined) {
          text.overwrite(node.start, node.end, JSON.stringify(value))
          return
        }
        break
      }
      case 'ImportDeclaration':
        imports.push(...namedImports(node, spanAt))
        break
      case 'ExportNamedDeclaration':
      case 'ExportDefaultDeclaration':
        for (const { name, at } of exportedNames(node)) exports[name] = spanAt(at.start, at.end, undefined)
        break
      case 'ThrowStatement': {
        const { argument } = node
        if (!options.calls || !isNode(argument) || unwrap(argument).type === 'NewExpression') break
        used = true
        const span = spanAt(node.start, node.start + 'throw'.length, undefined)
        text.appendRight(argument.start, `$quern.thrown(${JSON.stringify(span)}, `)
        text.appendLeft(argument.end, ')')
        break
      }
      case 'NewExpression': {
        const relative = metaUrl(node)
        if (relative !== undefined) urls.push(relative)
        break
      }
    }
    for (const { key, child } of children(node)) {
      if (isTypeOnly(child)) continue
      if (options.calls && isCondition(node, key) && mayBeTensor(child, options)) wrapCondition(child)
      // Cutting a call out of `a?.b().c()` would change what is skipped: the links of a chain stay as they are.
      const linked =
        node.type === 'ChainExpression' || (onChain && (key === 'callee' || key === 'object' || key === 'expression'))
      visit(child, nameFor(node, key, name), linked)
    }
  }

  const wrapCall = (node: AstNode, name: string | undefined): void => {
    const { callee } = node
    if (!isNode(callee) || node['optional'] === true || callee.type === 'Super' || callee.type === 'Import') return
    const inner = unwrap(callee)
    if (isBuiltIn(inner)) return
    if (inner.type === 'MemberExpression') {
      // `(a.b)()` and `a.b!()` keep `this` too, but are rare: they go without a span.
      const { object, property } = inner
      if (inner !== callee || !isNode(object) || !isNode(property)) return
      if (object.type === 'Super' || object.type === 'MetaProperty' || property.type === 'PrivateIdentifier') return
      const short = memberText(inner)
      const span =
        short === undefined ? spanAt(property.start, property.end, name) : spanAt(inner.start, inner.end, name)
      used = true
      text.appendRight(callee.start, `$quern.callMethod(${JSON.stringify(span)}, `)
      if (inner['computed'] === true) {
        text.overwrite(object.end, property.start, ', ')
        text.overwrite(property.end, inner.end, ')')
      } else {
        const name = JSON.stringify(code.slice(property.start, property.end))
        text.overwrite(object.end, inner.end, `, ${name}${short === undefined ? '' : `, ${JSON.stringify(short)}`})`)
      }
      return
    }
    if (inner.type === 'Identifier' && code.slice(inner.start, inner.end) === 'eval') return
    used = true
    text.appendRight(callee.start, `$quern.call(${JSON.stringify(spanAt(inner.start, inner.end, name))}, `)
    const short = memberText(inner)
    text.appendLeft(callee.end, short === undefined ? ')' : `, ${JSON.stringify(short)})`)
  }

  const wrapCondition = (node: AstNode): void => {
    used = true
    text.appendRight(node.start, `$quern.condition(${JSON.stringify(spanAt(node.start, node.end, undefined))}, `)
    text.appendLeft(node.end, ')')
  }

  visit(program, undefined, false)
  if (used) text.prepend(`import * as $quern from ${JSON.stringify(options.instrumented)};`)
  if (!text.hasChanged() && imports.length === 0 && Object.keys(exports).length === 0) return undefined
  return {
    code: text.toString(),
    map: text.generateMap({ source: options.file, hires: 'boundary', includeContent: true }),
    urls,
    imports,
    exports,
  }
}

/**
 * Makes no tensor, and is what loops over a model's numbers call for each of them: there a span would cost many times the call.
 * Functions given to it are instrumented like any other.
 */
const builtIns = new Set(
  'Array BigInt Boolean Date JSON Math Number Object Reflect String Symbol console parseFloat parseInt performance'.split(
    ' ',
  ),
)
const isBuiltIn = (callee: AstNode): boolean => {
  const { object } = callee
  const name = identifier(callee.type === 'MemberExpression' && isNode(object) ? object : callee)
  return name !== undefined && (builtIns.has(name) || /^(?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array$/.test(name))
}

const tested = new Set(['IfStatement', 'ConditionalExpression', 'WhileStatement', 'DoWhileStatement', 'ForStatement'])

/** Whether the truth of a child's value decides something. */
const isCondition = (parent: AstNode, key: string): boolean =>
  tested.has(parent.type)
    ? key === 'test'
    : parent.type === 'LogicalExpression'
      ? key === 'left' && parent['operator'] !== '??'
      : parent.type === 'UnaryExpression' && parent['operator'] === '!'

const valued = new Set([
  'Identifier',
  'MemberExpression',
  'CallExpression',
  'ChainExpression',
  'ConditionalExpression',
  'LogicalExpression',
  'AwaitExpression',
  'AssignmentExpression',
])

/** Comparisons and literals are no tensors; `import.meta` is replaced whole. */
const mayBeTensor = (node: AstNode, options: InstrumentOptions): boolean => {
  const inner = unwrap(node)
  return valued.has(inner.type) && metaValue(inner, options) === undefined
}

const namedImports = (
  node: AstNode,
  spanAt: (start: number, end: number, name: undefined) => Span,
): readonly NamedImport[] => {
  const { source, specifiers, importKind } = node
  if (importKind === 'type' || !isNode(source) || !Array.isArray(specifiers)) return []
  const from = source['value']
  if (typeof from !== 'string') return []
  return specifiers.flatMap((specifier: unknown) => {
    if (!isNode(specifier) || specifier.type !== 'ImportSpecifier' || specifier['importKind'] === 'type') return []
    const { imported } = specifier
    const name = identifier(imported)
    return name === undefined || !isNode(imported)
      ? []
      : [{ from, name, span: spanAt(imported.start, imported.end, undefined) }]
  })
}

const exportedNames = (node: AstNode): readonly { readonly name: string; readonly at: AstNode }[] => {
  const { declaration, specifiers } = node
  if (node.type === 'ExportDefaultDeclaration') return isNode(declaration) ? [{ name: 'default', at: declaration }] : []
  const named = (id: unknown): readonly { readonly name: string; readonly at: AstNode }[] => {
    const name = identifier(id)
    return name === undefined || !isNode(id) ? [] : [{ name, at: id }]
  }
  const ids: unknown[] = !isNode(declaration)
    ? []
    : Array.isArray(declaration['declarations'])
      ? declaration['declarations'].filter(isNode).map(d => d['id'])
      : [declaration['id']]
  const listed = Array.isArray(specifiers) ? specifiers.filter(isNode).map(s => s['exported']) : []
  return [...ids, ...listed].flatMap(named)
}

/** The variable or key that a child's value is given to: `const h = …`, `h = …`, `{ probs: … }`. */
const nameFor = (parent: AstNode, key: string, inherited: string | undefined): string | undefined => {
  switch (parent.type) {
    case 'VariableDeclarator':
      return key === 'init' ? identifier(parent['id']) : undefined
    case 'AssignmentExpression':
      return key === 'right' ? identifier(parent['left']) : undefined
    case 'Property':
      return key === 'value' && parent['computed'] !== true ? identifier(parent['key']) : undefined
    case 'ParenthesizedExpression':
    case 'AwaitExpression':
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
      return inherited
    default:
      return undefined
  }
}

const identifier = (x: unknown): string | undefined =>
  isNode(x) && x.type === 'Identifier' && typeof x['name'] === 'string' ? x['name'] : undefined

const typeOnly =
  /^TS(?!As|Satisfies|NonNull|Instantiation|ExportAssignment|ParameterProperty|Enum|Module|TypeAssertion)/
const isTypeOnly = (node: AstNode): boolean => typeOnly.test(node.type)

const isImportMeta = (x: unknown): boolean =>
  isNode(x) && x.type === 'MetaProperty' && identifier(x['meta']) === 'import'

const metaValue = (node: AstNode, { file, url, dirname }: InstrumentOptions): string | undefined => {
  if (node.type !== 'MemberExpression' || node['computed'] === true || !isImportMeta(node['object'])) return undefined
  const values: Readonly<Record<string, string>> = { url, filename: file, dirname }
  const property = identifier(node['property'])
  return property === undefined ? undefined : values[property]
}

const metaUrl = (node: AstNode): string | undefined => {
  const { callee, arguments: args } = node
  if (identifier(callee) !== 'URL' || !Array.isArray(args)) return undefined
  const [path, base]: unknown[] = args
  if (!isNode(path) || !isNode(base) || base.type !== 'MemberExpression' || !isImportMeta(base['object']))
    return undefined
  return identifier(base['property']) === 'url' && typeof path['value'] === 'string' ? path['value'] : undefined
}

/** From offsets to lines and columns that count from 1. A span ends at the end of its line. */
const spanFinder = (code: string, file: string) => {
  const starts = [0]
  for (const { index, 0: eol } of code.matchAll(/\r\n|\r|\n/g)) starts.push(index + eol.length)
  return (start: number, end: number, name: string | undefined): Span => {
    let low = 0
    for (let high = starts.length; high - low > 1;) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= start) low = middle
      else high = middle
    }
    const column = start - (starts[low] ?? 0) + 1
    const length = Math.max(
      1,
      code
        .slice(start, end)
        .split(/[\r\n]/, 1)[0]
        ?.trimEnd().length ?? 1,
    )
    return { file, line: low + 1, column, length, ...(name === undefined ? {} : { name }) }
  }
}
