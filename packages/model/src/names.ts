/** @file Names that nothing else has. */

/** `hint`, or `hint` with a number behind it; takes it. */
export const unused = (taken: Set<string>, hint: string): string => {
  let name = hint
  for (let i = 1; taken.has(name); i++) name = `${hint}_${i}`
  taken.add(name)
  return name
}
