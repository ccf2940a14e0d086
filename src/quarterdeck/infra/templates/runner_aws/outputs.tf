output "runner_cluster_name" {
  value = aws_ecs_cluster.runner.name
}

output "service_name" {
  value = aws_ecs_service.runner.name
}

output "log_group" {
  value = aws_cloudwatch_log_group.runner.name
}

output "runner_role_arn" {
  value = aws_iam_role.runner.arn
}
