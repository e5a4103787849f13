/// <reference types="vite/client" />
declare module '*.wat' {
  const bytes: Uint8Array<ArrayBuffer>
  export default bytes
}
