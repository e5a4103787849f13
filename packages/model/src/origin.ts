/**
 * @file Where in the user's file a tensor came from. The plugin instruments calls in model files with {@link call} and
 * {@link callMethod}; without it (a plain import under Node or a browser) the line is read off the stack.
 */
import type { Span } from '@quern/core-ir'

/** The spans of the instrumented calls that are running, innermost last. One per realm, like the call stack it mirrors. */
const running: Span[] = []

/** `call(span, f)(…args)`: runs f with its span as the origin of every tensor it makes. */
export const call =
  <A extends readonly unknown[], R>(span: Span, f: (...args: A) => R) =>
  (...args: A): R => {
    running.push(span)
    try {
      return f(...args)
    } finally {
      running.pop()
    }
  }

/** `callMethod(span, object, name)(…args)`: the same for a method call, keeping `this`. */
export const callMethod = <N extends PropertyKey, A extends readonly unknown[], R>(
  span: Span,
  object: { readonly [K in N]: (...args: A) => R },
  name: N,
) => call(span, (...args: A): R => object[name](...args))

/** The origin of a tensor made now: the innermost instrumented call, else the first stack frame outside this package. */
export const currentOrigin = (): Span | undefined => running.at(-1) ?? originFromStack(new Error().stack)

const ownFiles = /[/\\](?:packages[/\\]model|@quern[/\\]model)[/\\](?:src|dist)[/\\](?!.*\.test\.)/
const framePattern = /\(?((?:file:\/\/|https?:\/\/|\/|[A-Za-z]:\\)[^()]*?):(\d+):(\d+)\)?$/

export const originFromStack = (stack: string | undefined): Span | undefined => {
  for (const line of stack?.split('\n').slice(1) ?? []) {
    const [, file, row, column] = framePattern.exec(line.trim()) ?? []
    if (file === undefined || ownFiles.test(file)) continue
    return { file: file.replace(/^file:\/\//, '').replace(/\?.*$/, ''), line: Number(row), column: Number(column) }
  }
  return undefined
}
