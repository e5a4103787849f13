/** @file Which exports of a model file are data: they become literals in the bundle. */

const kindOf = (value: object): string => {
  const name = (value as { readonly constructor?: { readonly name?: string } }).constructor?.name
  return name === undefined || name === ''
    ? 'an object of its own kind'
    : `${/^[aeiou]/i.test(name) ? 'an' : 'a'} ${name}`
}

/** `undefined` for data; else what the value is, in words. */
export const whyNotData = (value: unknown, path = '', outer: readonly object[] = []): string | undefined => {
  const at = path === '' ? '' : ` at ${path}`
  switch (typeof value) {
    case 'boolean':
    case 'number':
    case 'bigint':
    case 'string':
    case 'undefined':
      return undefined
    case 'function':
      return /^class\b/.test(Function.prototype.toString.call(value)) ? `a class${at}` : `a function${at}`
    case 'symbol':
      return `a symbol${at}`
    case 'object':
      break
  }
  if (value === null) return undefined
  if (outer.includes(value)) return `an object that contains itself${at}`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return `${kindOf(value)}${at}`
  // In a literal, this name sets the prototype.
  if (Object.hasOwn(value, '__proto__')) return `an object with a property named __proto__${at}`
  const entries = Array.isArray(value)
    ? value.map((v, i) => [`[${i}]`, v] as const)
    : Object.entries(value).map(([k, v]) => [`.${k}`, v] as const)
  for (const [key, inner] of entries) {
    const why = whyNotData(inner, path + key, [...outer, value])
    if (why !== undefined) return why
  }
  return undefined
}
