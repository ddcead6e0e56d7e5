import { notFound } from "next/navigation";
import type { NextRequest } from "next/server";

import { pool } from "@/lib/database";

export async function GET(_request: NextRequest, { params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const { rows } = await pool.query("SELECT id, title FROM orders WHERE id = $1", [Number(id)]);
  if (rows.length === 0) notFound();
  return Response.json(rows[0]);
}
