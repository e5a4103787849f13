/**
 * @file Chooses where the elements of pictures lie between regions: the forms with the least cost over the whole network, by
 * what the target's kernels were measured to take. Kernels read and write whatever layout their operands and results have, so
 * there is no step that converts; what a crossing costs is part of the kernel that does it.
 */
import { QuernError } from '@quern/artifact'
import {
  type Graph,
  type LayoutCosts,
  type PictureForm,
  type Value,
  didYouMean,
  opNamed,
  parsePhysicalDims,
  physicalDimsError,
  pictureForms,
  printPhysicalDims,
  valueNames,
} from '@quern/core-ir'
import { type Cost, leastCost } from './least-cost.ts'
import { isPicture, pictureKernelOf } from './picture-kernel.ts'
import { regionCost } from './region-cost.ts'
import { freeValues, withLayouts } from './with-layouts.ts'

export interface LayoutChoice {
  readonly graph: Graph
  /** The choice as text: what {@link parseLayouts} reads, with its costs as comments. */
  readonly text: string
}

/** Layouts that were asked for, by the name of a value without its `%`; an empty text is row-major. */
export type AskedLayouts = ReadonlyMap<string, string>

/** @param costs absent: everything is row-major but for what is asked for */
export const chooseLayouts = (
  graph: Graph,
  costs: LayoutCosts | undefined,
  asked: AskedLayouts = new Map(),
): LayoutChoice => {
  const names = valueNames(graph)
  const free = freeValues(graph)
  const wanted = askedOf(graph, free, names, asked)
  const values = [...free].filter(v => isPicture(v.type))
  const numberOf = new Map(values.map((v, i) => [v, i]))
  const tables = costs === undefined ? [] : costsOf(graph, numberOf, costs)
  const fixed = values.flatMap((v, i): Cost[] => {
    const dims = wanted.get(v)
    if (dims === undefined) return []
    const form = formOf(dims, v)
    return [{ of: [i], at: ([label]) => (label === pictureForms.indexOf(form) ? 0 : Infinity) }]
  })
  const labels =
    costs === undefined ? values.map(() => 0) : leastCost(values.length, pictureForms.length, [...tables, ...fixed])
  const layoutOf = (v: Value): string => {
    const dims = wanted.get(v)
    if (dims !== undefined) return dims
    const i = numberOf.get(v)
    return i === undefined ? '' : dimsOf(pictureForms[labels[i] ?? 0] ?? 'planar', v)
  }
  const total = (of: readonly number[]): number => tables.reduce((sum, t) => sum + t.at(t.of.map(v => of[v] ?? 0)), 0)
  const ms = (ns: number): string => (Number.isFinite(ns) ? `${(ns / 1e6).toPrecision(3)} ms` : 'none')
  /** What the kernel of a value takes where all its pictures have one form. */
  const alone = (v: Value, form: PictureForm): number => {
    const { node } = v
    if (node === undefined || costs === undefined) return Infinity
    const all = [node.operands, node.results].map(list => list.map(() => form))
    return regionCost(node, pictureKernelOf(node), all[0] ?? [], all[1] ?? [], costs)
  }
  const lines = values.map((v, i) => {
    const now = pictureForms[labels[i] ?? 0] ?? 'planar'
    const others = tables.length === 0 ? [] : pictureForms.filter(f => f !== now)
    const against = others.map(f => `${f} ${ms(alone(v, f))}`).join(', ')
    const why = wanted.has(v) ? 'asked for' : against === '' ? '' : `its kernel alone: ${ms(alone(v, now))}, ${against}`
    return `%${names.get(v) ?? ''}: ${layoutOf(v)}${why === '' ? '' : `   // ${why}`}`
  })
  const head =
    tables.length === 0
      ? '// row-major throughout: no kernels of this target gain by another layout'
      : `// kernels over pictures: ${ms(total(labels))} a picture, ${ms(total(values.map(() => 0)))} if all were row-major`
  return {
    graph: withLayouts(graph, layoutOf),
    text: [...(values.length === 0 ? [] : [head]), ...lines, ''].join('\n'),
  }
}

/** Physical dims of a form, as a region spells them. */
const dimsOf = (form: PictureForm, { type: { shape } }: Value): string =>
  form === 'planar'
    ? ''
    : printPhysicalDims([{ dim: 0 }, ...shape.slice(2).map((_, i) => ({ dim: i + 2 })), { dim: 1 }])

/** What neighbours reckon with: a layout that is no form is for them as good as row-major. */
const formOf = (dims: string, value: Value): PictureForm =>
  pictureForms.find(f => dimsOf(f, value) === printPhysicalDims(parsePhysicalDims(dims))) ?? 'planar'

/** The cost of each region, over the forms of those of its operands and results that are free. */
const costsOf = (graph: Graph, numberOf: ReadonlyMap<Value, number>, costs: LayoutCosts): readonly Cost[] =>
  graph.nodes.flatMap((node): Cost[] => {
    if (opNamed(node.op).class !== 'region') return []
    const around = [...node.operands, ...node.results]
    const of = [...new Set(around.flatMap(v => (v === undefined ? [] : (numberOf.get(v) ?? []))))]
    if (of.length === 0) return []
    const kernel = pictureKernelOf(node)
    return [
      {
        of,
        at: labels => {
          const formOfValue = (v: Value | undefined): PictureForm => {
            const place = v === undefined ? -1 : of.indexOf(numberOf.get(v) ?? -1)
            return pictureForms[labels[place] ?? 0] ?? 'planar'
          }
          return regionCost(node, kernel, node.operands.map(formOfValue), node.results.map(formOfValue), costs)
        },
      },
    ]
  })

const askedOf = (
  graph: Graph,
  free: ReadonlySet<Value>,
  names: ReadonlyMap<Value, string>,
  asked: AskedLayouts,
): ReadonlyMap<Value, string> => {
  const byName = new Map([...names].map(([v, name]) => [name, v]))
  return new Map(
    [...asked].map(([name, dims]) => {
      const value = byName.get(name)
      if (value === undefined)
        throw new QuernError(
          'layout/unknown-value',
          `a layout is given for %${name}, and ${graph.name} has no such value: ${didYouMean(name, [...byName.keys()])}`,
          { value: name },
        )
      if (!free.has(value))
        throw new QuernError(
          'layout/not-free',
          `a layout is given for %${name}, which is row-major: the host or something else than a kernel sees it too`,
          { value: name },
        )
      const parsed = parsePhysicalDims(dims)
      const mistake = parsed.length === 0 ? undefined : physicalDimsError(parsed, value.type.shape.length)
      if (mistake !== undefined)
        throw new QuernError('layout/wrong-dims', `the layout ${dims} of %${name}: ${mistake}`, { value: name, dims })
      return [value, printPhysicalDims(parsed)] as const
    }),
  )
}

/** Reads lines `%value: dims`, by entry: those below `entry NAME:` are its own, those before any such line are of the only one. */
export const parseLayouts = (text: string): ReadonlyMap<string, AskedLayouts> => {
  const entries = new Map<string, Map<string, string>>()
  let entry = ''
  for (const [i, raw] of text.split('\n').entries()) {
    // A comment stands apart; within a layout, // divides.
    const line = raw.replace(/\s{2,}\/\/ .*$/, '').trim()
    if (line === '' || line.startsWith('//')) continue
    const heading = /^entry (.+):$/.exec(line)?.[1]
    const [, name, dims] = /^%("[^"]*"|[^:\s]+):(.*)$/.exec(line) ?? []
    if (heading !== undefined) entry = heading
    else if (name !== undefined)
      entries.set(entry, (entries.get(entry) ?? new Map<string, string>()).set(name, (dims ?? '').trim()))
    else
      throw new QuernError(
        'layout/not-a-line',
        `line ${i + 1} of the layouts is not %value: d0, d2, d3, d1, but ${line}`,
        {
          line: i + 1,
        },
      )
  }
  return entries
}
