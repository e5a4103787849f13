/** @file Runs what a command does, after a look at what it was given; a mistake is one text and the exit code 1. */
import { isQuernError } from '@quern/artifact'
import { didYouMean } from '@quern/core-ir'
import type { ArgDef } from 'citty'

/** A mistake of the caller or of the model file: its text is all that the terminal shows. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Of a file that the system refuses: it has a code and the name of the call, and says the path. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && 'code' in error

const textOf = (error: unknown): string | undefined => {
  if (error instanceof CommandError) return error.message
  if (isQuernError(error)) return `error${error.message}`
  return isSystemError(error) ? error.message : undefined
}

const dash = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)

interface Asked {
  readonly args: { readonly _: readonly string[]; readonly [name: string]: unknown }
  readonly cmd: { readonly args?: unknown }
}

/** What the parser lets pass: names that the command does not have, options that need a value, more than one file. */
const checkArguments = ({ args, cmd }: Asked): void => {
  const taken = cmd.args as Readonly<Record<string, ArgDef>>
  const known = new Map(
    Object.entries(taken).flatMap(([name, { type, ...rest }]) => {
      if (type === 'positional') return []
      const { alias = [] } = rest as { readonly alias?: string | readonly string[] }
      return [name, ...[alias].flat()].map(n => [n, type] as const)
    }),
  )
  for (const [name, value] of Object.entries(args)) {
    if (name === '_' || taken[name]?.type === 'positional') continue
    const type = known.get(name)
    const dashed = dash(name)
    if (type === undefined)
      throw new CommandError(
        `there is no option ${dashed}: ${didYouMean(
          dashed,
          [...known.keys()].map(dash).filter(n => n.startsWith('--')),
        )}`,
      )
    if (type === 'string' && (value === '' || String(value).startsWith('--')))
      throw new CommandError(`${dashed} takes a value, and none was given`)
  }
  const [, second] = args._
  if (second !== undefined)
    throw new CommandError(`one model file is taken, and ${second} was given beside ${args._[0]}`)
}

export const reporting = async (asked: Asked, work: () => Promise<void>): Promise<void> => {
  try {
    checkArguments(asked)
    await work()
  } catch (error) {
    const text = textOf(error)
    if (text === undefined) throw error
    console.error(text)
    process.exitCode = 1
  }
}
