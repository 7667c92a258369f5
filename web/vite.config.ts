import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Two applications, one build: the console at /, the workbench at /workbench/. */
export default defineConfig({
  root: here('.'),
  plugins: [react()],
  build: {
    outDir: here('./dist'),
    emptyOutDir: true,
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      input: { console: here('./index.html'), workbench: here('./workbench/index.html') },
    },
  },
  server: { host: '127.0.0.1', port: 7301, proxy: { '/api': 'http://127.0.0.1:7300' } },
})
