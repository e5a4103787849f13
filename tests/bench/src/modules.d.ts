/// <reference types="vite/client" />
declare module '*.wat' {
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
/** A hand-written matrix product for the sizes that stand behind the colon. */
declare module 'gemm:*' {
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
