/** @file Tests only: runs the examples of a package's README, to hold what they print against what the README shows. */
import { readFileSync } from 'node:fs'
import { formatWithOptions } from 'node:util'

export interface ReadmeExample {
  /** What the README says is printed. */
  readonly shown: string
  /** What is printed; `modules` are what the example may import, by name. */
  print(modules: Readonly<Record<string, unknown>>): Promise<string>
}

/** Every block of JavaScript that is followed by the text it prints. */
export const readmeExamples = (readme: URL): ReadmeExample[] =>
  [...readFileSync(readme, 'utf8').matchAll(/```js\n([^]*?)```\s+```text\n([^]*?)```/g)].map(
    ([, code = '', shown = '']) => ({ shown, print: modules => printedBy(code, modules) }),
  )

const printedBy = async (code: string, modules: Readonly<Record<string, unknown>>): Promise<string> => {
  const body = code.replace(
    /^import \{ (.*) \} from (.*)$/gm,
    (_, names: string, from: string) => `const { ${names.replaceAll(' as ', ': ')} } = modules[${from}]`,
  )
  const lines: string[] = []
  const log = (...args: readonly unknown[]): void => void lines.push(formatWithOptions({}, ...args))
  await new Function('console', 'modules', `return (async () => {\n${body}\n})()`)({ log }, modules)
  return `${lines.join('\n')}\n`
}
