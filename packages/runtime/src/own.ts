/** @file Looks a name of the user up in a record: `toString` and `constructor` are names too, and every object inherits them. */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined
