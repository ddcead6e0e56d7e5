import { pool } from "@/lib/database";

/** Takes its time, as reports do. */
export async function GET() {
  const { rows } = await pool.query("SELECT count(*)::int AS orders FROM orders, pg_sleep(3)");
  return Response.json(rows[0]);
}
