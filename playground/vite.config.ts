/** @file The playground builds to a static folder that works under any path. */
import { defineConfig } from 'vite'

export default defineConfig({ base: './' })
