// mcp owns the Model Context Protocol face: tools and resources over control, for streamable HTTP and standard input.
// It refuses to decide anything: what may be done, and how, is control's; and it has no tool that approves.
export { handleMcp } from './http.ts';
export { createMcpServer, type McpDeps } from './server.ts';
export { TOOLS } from './tools/index.ts';
