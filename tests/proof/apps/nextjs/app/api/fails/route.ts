export function GET(): Response {
  throw new Error(`no answer from ${process.env.DATABASE_URL}`);
}
