/** @file Walks over the steps of a plan. */
import type { Step } from '@quern/core-ir'

/** Gives every kernel step other arguments, and another kernel. */
export const mapKernels = (
  steps: readonly Step[],
  args: (kernel: string, args: readonly string[]) => readonly string[],
  kernel: (name: string) => string = name => name,
): Step[] =>
  steps.map((s): Step => {
    switch (s.kind) {
      case 'kernel':
        return { ...s, kernel: kernel(s.kernel), args: args(s.kernel, s.args) }
      case 'if':
        return { ...s, then: mapKernels(s.then, args, kernel), else: mapKernels(s.else, args, kernel) }
      case 'loop':
        return { ...s, body: mapKernels(s.body, args, kernel) }
      case 'copy':
      case 'define':
        return s
    }
  })

/** Every buffer that steps name, as often as they do. */
export const buffersIn = (steps: readonly Step[]): string[] =>
  steps.flatMap(s => {
    switch (s.kind) {
      case 'kernel':
        return s.args
      case 'copy':
        return [s.from, s.to]
      case 'define':
        return [s.from]
      case 'if':
        return [s.condition, ...buffersIn(s.then), ...buffersIn(s.else)]
      case 'loop':
        return [
          ...(typeof s.limit === 'string' ? [s.limit] : []),
          ...(s.condition === undefined ? [] : [s.condition]),
          ...buffersIn(s.body),
        ]
    }
  })

/** The list of steps and all lists nested in it. */
export const blocksIn = (steps: readonly Step[]): (readonly Step[])[] => [
  steps,
  ...steps.flatMap(s => {
    if (s.kind === 'if') return [...blocksIn(s.then), ...blocksIn(s.else)]
    return s.kind === 'loop' ? blocksIn(s.body) : []
  }),
]

/** The same steps with one of their {@link blocksIn} another. */
export const replaceBlock = (steps: readonly Step[], block: readonly Step[], by: readonly Step[]): readonly Step[] =>
  steps === block
    ? by
    : steps.map((s): Step => {
        if (s.kind === 'if')
          return { ...s, then: replaceBlock(s.then, block, by), else: replaceBlock(s.else, block, by) }
        return s.kind === 'loop' ? { ...s, body: replaceBlock(s.body, block, by) } : s
      })
