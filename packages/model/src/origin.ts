/**
 * @file Where in the user's file a tensor came from. The plugin instruments calls in model files with {@link call} and
 * {@link callMethod}; without it (a plain import under Node or a browser) the line is read off the stack.
 */
import { QuernError } from '@quern/artifact'
import { type Span, didYouMean } from '@quern/core-ir'

/** The spans of the instrumented calls that are running, innermost last. One per realm, like the call stack it mirrors. */
const running: Span[] = []

/**
 * `call(span, f)(…args)`: runs f with its span as the origin of every tensor it makes.
 * @param text how the file writes f, where that is short
 */
export const call =
  <A extends readonly unknown[], R>(span: Span, f: (...args: A) => R, text = 'this') =>
  (...args: A): R => {
    if (typeof f !== 'function')
      throw new QuernError('model/no-such-function', `${text} is not a function: is it imported, and spelled right?`, {
        origin: span,
      })
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
  text = String(name),
) =>
  call(span, (...args: A): R => {
    // Of null and undefined, and of primitives, the language itself says it well.
    if (typeof object === 'object' && object !== null && typeof object[name] !== 'function')
      throw noSuchMethod(span, object, String(name), text)
    return object[name](...args)
  })

const isPromise = (x: object): boolean => typeof (x as { readonly then?: unknown }).then === 'function'

const noSuchMethod = (span: Span, object: object, name: string, text: string): QuernError => {
  const functions = Object.entries(object).flatMap(([key, value]) => (typeof value === 'function' ? [key] : []))
  const tensor = (object as { readonly kind?: unknown }).kind === 'tensor'
  const advice = isPromise(object)
    ? 'this is a promise: write `await` before what gives it, like `await safetensors(…)`'
    : tensor
      ? `a tensor has no methods; functions of @quern/model take it as an argument, like add(x, y) and nn.relu(x)`
      : didYouMean(name, functions)
  return new QuernError('model/no-such-function', `${text} is not a function: ${advice}`, { origin: span, name })
}

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
