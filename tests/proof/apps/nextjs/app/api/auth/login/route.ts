import { redirect } from "next/navigation";

export async function POST(request: Request) {
  const { password } = await request.json();
  if (password !== process.env.ADMIN_PASSWORD) {
    return Response.json({ error: "wrong password" }, { status: 401 });
  }
  redirect("/");
}
