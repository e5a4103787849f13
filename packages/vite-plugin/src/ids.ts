/** @file The modules the plugin makes: a model file, and one virtual module for each program that it exports. */

const query = '?quern-export='

/** Matches what `load` and `resolveId` answer; bundlers test it natively before they call us. */
export const modelFileId = /\.model\.(?:[cm]?ts|[cm]?js)(?:\?quern-export=[^?]*)?$/
/** Imports that are resolved here: programs, the runtime, and what the runtime imports where the bundler cannot find it. */
export const resolvedHere = /\?quern-export=|^@quern\/|^#/

export const idOfProgram = (file: string, exportName: string): string =>
  `${file}${query}${encodeURIComponent(exportName)}`

export const splitId = (id: string): { readonly file: string; readonly exportName: string | undefined } => {
  const at = id.indexOf(query)
  return at < 0
    ? { file: id, exportName: undefined }
    : { file: id.slice(0, at), exportName: decodeURIComponent(id.slice(at + query.length)) }
}

/** Code that may import a model file. */
export const namesModelFile = /\.model(?:\.[cm]?[jt]s)?['"]/
