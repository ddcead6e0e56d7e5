import { pool } from "@/lib/database";

export async function GET() {
  const { rows } = await pool.query("SELECT id, title FROM orders ORDER BY id LIMIT 50");
  return Response.json(rows);
}

export const POST = async (request: Request) => {
  const { title } = await request.json();
  const { rows } = await pool.query("INSERT INTO orders (title) VALUES ($1) RETURNING id, title", [String(title)]);
  return Response.json(rows[0], { status: 201 });
};
