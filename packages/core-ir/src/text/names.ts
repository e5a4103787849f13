/** @file How names print: bare where they read back as one word, quoted otherwise. */
import { dtypes } from '@quern/artifact'

/** Words that start something else where a name may stand. */
const reserved: ReadonlySet<string> = new Set([...dtypes, 'true', 'false', 'inf', 'nan', 'null', 'bitcast', 'reduce'])

export const isWord = (name: string): boolean => /^[A-Za-z_$][\w$]*$/.test(name)

export const printName = (name: string): string => (isWord(name) && !reserved.has(name) ? name : JSON.stringify(name))
