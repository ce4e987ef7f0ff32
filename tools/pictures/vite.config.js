// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

export default {
  publicDir: 'node_modules/@grafana/ui/dist/public', // the icons
  define: { 'process.env.NODE_ENV': '"production"' },
  esbuild: { jsx: 'automatic' },
  build: { target: 'esnext', chunkSizeWarningLimit: 20000 },
};
